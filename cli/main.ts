#!/usr/bin/env node
// npx saga: the operators' command line. It knows nothing but the HTTP API; `npx saga help` says what it does and how it ends.

import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { foresee, listDeadLetters, say, settleDeadLetter } from './act.js'
import { Api } from './api.js'
import { exit, Failure } from './exit.js'
import { help } from './help.js'
import { idOf, list, show, watch } from './look.js'
import { write } from './print.js'

const text = { type: 'string' } as const
const flag = { type: 'boolean', default: false } as const
const options = {
  url: text,
  json: flag,
  help: flag,
  phase: text,
  saga: text,
  partner: text,
  table: text,
  row: text,
  text,
  since: text,
  until: text,
  limit: text,
  calls: flag,
  reason: text,
  actor: text,
  preview: flag,
  queue: text,
} as const

async function main(parameters: readonly string[]): Promise<number> {
  const { values, positionals } = read(parameters)
  const [command = 'help', ...rest] = positionals
  const [first, second] = rest
  if (values.help || command === 'help') {
    write(help)
    return exit.ok
  }
  const { url, json, phase, saga, partner, table, row, since, until, limit, queue } = values
  const api = new Api(url ?? process.env['SAGA_URL'] ?? 'http://127.0.0.1:7071', process.env)
  const said = { actor: values.actor ?? userInfo().username, reason: values.reason }
  switch (command) {
    case 'list':
      return list(api, { phase, saga, partner, table, rowId: row, text: values.text, since, until, limit }, json)
    case 'show':
      return show(api, await idOf(api, first), values.calls, json)
    case 'watch':
      return watch(api, await idOf(api, first), json)
    case 'retry':
    case 'skip':
    case 'undo': {
      if (command === 'skip' && second === undefined)
        throw new Failure(exit.usage, 'Say which step: npx saga skip ID STEP.')
      const what = {
        id: await idOf(api, first),
        command: command === 'undo' ? 'cancel' : command,
        step: second,
      } as const
      return values.preview ? foresee(api, what, said, json) : say(api, what, said, json)
    }
    case 'dead-letters':
      if (first === undefined) return listDeadLetters(api, queue, json)
      if (first !== 'resubmit' && first !== 'discard')
        throw new Failure(exit.usage, `There are resubmit and discard, not '${first}'.`)
      return settleDeadLetter(api, { how: first, sequenceNumber: second, queue }, said, json)
    case 'replay': {
      // The test kit takes longer to load than all else.
      const { replay } = await import('./replay.js')
      return replay(api, rest, json)
    }
    case 'openapi':
      write(await api.text('openapi.json'))
      return exit.ok
    default:
      throw new Failure(exit.usage, `There is no command '${command}'. npx saga help tells those there are.`)
  }
}

function read(parameters: readonly string[]) {
  try {
    return parseArgs({ args: [...parameters], options, allowPositionals: true })
  } catch (error) {
    throw new Failure(exit.usage, error instanceof Error ? error.message : String(error), error)
  }
}

/** A failure is told in one line; an answer that has another form than this version expects is one too. */
function ended(error: unknown): number {
  const words =
    error instanceof z.ZodError
      ? `The API's answer is not as this version expects: ${z.prettifyError(error)}`
      : error instanceof Error
        ? error.message
        : String(error)
  process.stderr.write(`${words}\n`)
  return error instanceof Failure ? error.code : exit.unreachable
}

void main(process.argv.slice(2))
  .catch(ended)
  .then((code) => (process.exitCode = code))
