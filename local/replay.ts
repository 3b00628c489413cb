// npm run replay -- DIR|URL: runs the histories in a folder, or of a running installation, on today's sagas. Exit code 1 if one of them differs.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { sagas } from '../src/app/index.js'
import type { SagaHistory } from '../src/saga/history.js'
import { replay } from '../testkit/replay.js'

/** As much as tells a history from anything else; the rest is as the status API wrote it. */
const history = z.custom<SagaHistory>(
  (value) =>
    z
      .looseObject({
        id: z.string(),
        saga: z.string(),
        version: z.number(),
        event: z.looseObject({ id: z.string(), table: z.string(), rowId: z.string() }),
        happened: z.array(z.looseObject({ kind: z.enum(['answered', 'woken', 'heard']), at: z.string() })),
        status: z.looseObject({ phase: z.string(), steps: z.array(z.unknown()) }),
      })
      .safeParse(value).success,
  'it is not a history as GET /api/sagas/{id}/history tells it',
)
const page = z.object({ sagas: z.array(z.looseObject({ id: z.string() })), next: z.string().optional() })

async function* historiesOf(place: string): AsyncGenerator<{ name: string; text: string }> {
  if (!/^https?:/.test(place)) {
    const files = readdirSync(place).filter((name) => name.endsWith('.json'))
    for (const name of files) yield { name, text: readFileSync(join(place, name), 'utf8') }
    return
  }
  for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
    const url = new URL('/api/sagas?limit=100', place)
    if (token !== undefined) url.searchParams.set('token', token)
    const { sagas: found, next } = page.parse(JSON.parse(await textAt(url)))
    for (const { id } of found)
      yield {
        name: id,
        // With its values, which only an Admin may see, and which is written down.
        text: await textAt(new URL(`/api/sagas/${encodeURIComponent(id)}/history?reveal=npm+run+replay`, place)),
      }
    token = next
  }
}

/** A function key with the role Admin, if the installation asks for one, in the environment as FUNCTIONS_KEY. */
async function textAt(url: URL): Promise<string> {
  const key = process.env['FUNCTIONS_KEY']
  const response = await fetch(url, { headers: key ? { 'x-functions-key': key } : {} })
  if (!response.ok) throw new Error(`${url.origin}${url.pathname} answered HTTP ${response.status}.`)
  return response.text()
}

/** In what one history differs when it runs on the sagas of this code; undefined if in nothing. @param text as `GET /api/sagas/{id}/history` answers */
export function differenceIn(text: string): string | undefined {
  try {
    const read = history.parse(JSON.parse(text))
    const saga = sagas.find(({ name, version }) => name === read.saga && version === read.version)
    if (!saga) return `no saga '${read.saga}' of version ${read.version} is registered: it could not go on`
    replay(saga, read)
    return undefined
  } catch (error) {
    if (error instanceof z.ZodError) return error.issues.map(({ message }) => message).join('; ')
    return error instanceof Error ? error.message : String(error)
  }
}

async function main(place: string | undefined): Promise<number> {
  if (place === undefined) {
    console.error('Say where the histories are: npm run replay -- DIR, or npm run replay -- http://127.0.0.1:7071')
    return 2
  }
  let count = 0
  let differing = 0
  for await (const { name, text } of historiesOf(place)) {
    count += 1
    const difference = differenceIn(text)
    if (difference === undefined) continue
    differing += 1
    console.log(`red    ${difference.includes(name) ? '' : `${name}: `}${difference}`)
  }
  console.log(
    `${differing === 0 && count > 0 ? 'green' : 'red'}  ${count - differing} of ${count} histories replay on today's sagas`,
  )
  return differing === 0 && count > 0 ? 0 : 1
}

if (require.main === module)
  main(process.argv[2]).then(
    (code) => (process.exitCode = code),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : String(error))
      process.exitCode = 2
    },
  )
