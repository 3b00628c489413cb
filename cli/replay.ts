// replay: histories from files, folders or the API, run on the sagas of this code.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { differenceIn } from '../local/replay.js'
import type { Api } from './api.js'
import { exit, Failure } from './exit.js'
import { idOf, pathOf } from './look.js'
import { write, writeJson } from './print.js'

/** Ends with 0 if there is at least one, and none differs. */
export async function replay(api: Api, places: readonly string[], asJson: boolean): Promise<number> {
  if (places.length === 0) throw new Failure(exit.usage, 'Say what: the id of a saga, a file, or a folder of files.')
  const results: { name: string; difference?: string }[] = []
  for (const place of places)
    for (const { name, text } of await historiesAt(api, place)) {
      const difference = differenceIn(text)
      results.push({ name, ...(difference !== undefined && { difference }) })
    }
  const differing = results.filter(({ difference }) => difference !== undefined)
  if (asJson) writeJson({ histories: results })
  else {
    for (const { name, difference } of differing) write(`red    ${name}: ${difference}`)
    write(
      `${differing.length === 0 && results.length > 0 ? 'green' : 'red'}  ${results.length - differing.length} of ${results.length} histories replay on today's sagas`,
    )
  }
  return differing.length === 0 && results.length > 0 ? exit.ok : exit.no
}

async function historiesAt(api: Api, place: string): Promise<{ name: string; text: string }[]> {
  const found = statSync(place, { throwIfNoEntry: false })
  if (found?.isDirectory())
    return readdirSync(place)
      .filter((name) => name.endsWith('.json'))
      .map((name) => ({ name, text: readFileSync(join(place, name), 'utf8') }))
  if (found) return [{ name: place, text: readFileSync(place, 'utf8') }]
  const id = await idOf(api, place)
  // With its values, which only an Admin may see, and which is written down.
  return [{ name: id, text: await api.text(`${pathOf(id)}/history`, { reveal: 'npx saga replay' }) }]
}
