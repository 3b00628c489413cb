// What the platform's host tells about itself under /admin, and how a function without an address is called by hand.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../log.js'
import { wordsOf } from './errors.js'
import { readBody } from './http-exchange.js'
import { type ExtraInput, inputsOf } from './extra-inputs.js'
import type { FunctionApp } from './function-app.js'
import type { RegisteredFunction } from './worker.js'
import type { TypedData } from './typed-data.js'

export interface AdminOptions {
  readonly app: FunctionApp
  readonly log: Log
  readonly extraInput: ExtraInput
}

/** Calls that were accepted go on after their answer. */
export async function answerAdmin(
  options: AdminOptions,
  path: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [area = '', name = ''] = path.map((part) => part.toLowerCase())
  if (area === 'host' && name === 'ping') return void response.writeHead(200).end()
  if (area === 'host' && name === 'status') return tell(response, { state: 'Running', version: '4.0.0' })
  if (area === 'functions' && name === '' && request.method === 'GET')
    return tell(response, options.app.functions.map(viewOf))
  const found = options.app.functions.find((one) => one.name.toLowerCase() === name)
  if (area !== 'functions' || !found) return void response.writeHead(404).end()
  if (request.method === 'GET') return tell(response, viewOf(found))
  if (request.method !== 'POST') return void response.writeHead(405).end()
  const input = inputIn((await readBody(request)).toString('utf8'))
  if (input === undefined) return void response.writeHead(400).end('The body is a JSON object with a text "input".')
  response.writeHead(202).end()
  await callByHand(options, found, input)
}

async function callByHand(
  { app, log, extraInput }: AdminOptions,
  { name, trigger, inputs }: RegisteredFunction,
  input: string,
): Promise<void> {
  const guidance = guidanceFor(trigger.type.toLowerCase())
  if (guidance) return log('error', name, guidance)
  try {
    await app.invoke(name, { inputs: { ...inputsOf(inputs, extraInput), [trigger.key]: valueOf(trigger.type, input) } })
  } catch (error) {
    log('error', name, wordsOf(error))
  }
}

function guidanceFor(type: string): string | undefined {
  if (type === 'orchestrationtrigger')
    return 'An orchestrator can not be called directly; start it with a durable client.'
  if (type === 'entitytrigger') return 'An entity can not be called directly; signal it with a durable client.'
  if (type === 'httptrigger') return 'An HTTP function is called at its address.'
  return undefined
}

function valueOf(type: string, input: string): TypedData {
  if (type.toLowerCase() !== 'timertrigger') return { string: input }
  return { json: JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false }) }
}

/** Absent counts as an empty text; undefined for what can't be read. */
function inputIn(body: string): string | undefined {
  if (body === '') return ''
  try {
    const read: unknown = JSON.parse(body)
    if (typeof read !== 'object' || read === null) return undefined
    const input: unknown = 'input' in read ? read.input : ''
    return typeof input === 'string' ? input : JSON.stringify(input)
  } catch {
    return undefined
  }
}

const viewOf = ({ name, trigger }: RegisteredFunction) => ({
  name,
  language: 'node',
  isDisabled: false,
  config: { bindings: [{ type: trigger.type, direction: 'in', name: trigger.key }] },
})

function tell(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
