// The durable management API, whatever carries it: a socket (over-http.ts), or a call from another thread.

import { managementUrlsOf } from './client-binding.js'
import { entityIdOf } from './entities.js'
import { badRequest, HubError, noSuchInstance } from './errors.js'
import type { TaskHub } from './hub.js'
import { partsOf } from './planner.js'
import { statusView } from './status-view.js'
import { hasEnded, type InstanceRow, type RuntimeStatus } from './tables.js'

/** As over HTTP, without the transport. */
export interface ApiRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  /** Of the URLs that are handed out. */
  readonly host: string
  readonly continuationToken?: string
  readonly body: string
  /** By the app's durable client over the channel: its body is what `JSON.stringify` makes, and of what it starts it reads the id alone. */
  readonly isByClient?: boolean
}

export interface ApiAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON. */
  readonly body?: string
}

export type HubApi = (request: ApiRequest) => Promise<ApiAnswer>

interface Call {
  readonly hub: TaskHub
  readonly request: ApiRequest
  /** Below the API's own path, decoded. */
  readonly path: readonly string[]
  readonly query: Query
  readonly key: string
}

/** Names in queries are compared without case, and what can't be read counts as not said. */
interface Query {
  /** Also an empty text. */
  given(name: string): string | undefined
  text(name: string): string | undefined
  flag(name: string, otherwise: boolean): boolean
  time(name: string): number | undefined
  list(name: string): string[]
}

/**
 * @param basePath what comes before `instances` and `orchestrators`, for example `/durabletask`
 * @param key goes into the URLs that are handed out
 */
export function hubApi(hub: TaskHub, basePath: string, key: string): HubApi {
  return async (request) => {
    try {
      const url = new URL(request.url, 'http://localhost')
      const path = url.pathname.slice(basePath.length).split('/').filter(Boolean).map(decodeURIComponent)
      return await answer({ hub, request, path, query: queryOf(url.searchParams), key })
    } catch (error) {
      if (!(error instanceof HubError)) throw error
      return told(error.status, error.message === '' ? undefined : { Message: error.message })
    }
  }
}

async function answer(call: Call): Promise<ApiAnswer> {
  const { path, request } = call
  const [root = '', id, operation, event] = path
  const route = `${request.method} ${root.toLowerCase()}/${id === undefined ? '' : 'id'}${operation === undefined ? '' : `/${operation.toLowerCase()}`}`
  switch (route) {
    case 'POST orchestrators/id':
      return start(call, id ?? '', undefined)
    case 'GET instances/':
      return tellMany(call)
    case 'DELETE instances/':
      return purgeMany(call)
    case 'GET instances/id':
      return tellOne(call, id ?? '')
    case 'DELETE instances/id':
      await call.hub.purge(id ?? '')
      return told(200, { instancesDeleted: 1 })
    case 'POST instances/id/raiseevent':
      await call.hub.raise(id ?? '', event ?? '', jsonBody(request))
      return told(202)
    case 'POST instances/id/terminate':
    case 'POST instances/id/suspend':
    case 'POST instances/id/resume':
      await call.hub.command(id ?? '', commandOf(operation ?? ''), call.query.text('reason') ?? '', {
        withChildren: call.query.flag('recursive', false),
      })
      return told(202)
    case 'POST instances/id/rewind':
      await call.hub.rewind(id ?? '', call.query.text('reason') ?? '')
      return told(202)
    case 'POST instances/id/restart':
      return tellStarted(call, await call.hub.restart(id ?? '', call.query.flag('restartWithNewInstanceId', true)))
    case 'GET entities/':
    case 'GET entities/id':
      return tellEntities(call, id)
    case 'GET entities/id/' + (operation ?? '').toLowerCase(): {
      const state = call.hub.entities.stateOf(entityIdOf(id ?? '', keyIn(operation)))
      if (state === undefined) throw noSuchInstance()
      return told(200, JSON.parse(state))
    }
    case 'POST entities/id/' + (operation ?? '').toLowerCase():
    case 'DELETE entities/id/' + (operation ?? '').toLowerCase(): {
      const wanted = request.method === 'DELETE' ? 'delete' : (call.query.text('op') ?? '')
      await call.hub.entities.signal(entityIdOf(id ?? '', keyIn(operation)), wanted, jsonBody(request))
      return told(202)
    }
    default:
      if (request.method === 'POST' && root.toLowerCase() === 'orchestrators') return start(call, id ?? '', operation)
      throw noSuchInstance()
  }
}

/** An empty key is written as `$`. */
const keyIn = (text: string | undefined) => (text === '$' ? '' : (text ?? ''))

function tellEntities({ hub, query }: Call, name: string | undefined): ApiAnswer {
  const isFetching = query.flag('fetchState', false)
  const found = [...hub.entities.list(name)].map(({ entity, state }) => ({
    entityId: partsOf(entity),
    lastOperationTime: new Date(state.updatedAt ?? 0).toISOString(),
    ...(isFetching && state.state !== undefined && { state: JSON.parse(state.state) }),
  }))
  return told(200, found)
}

async function start(call: Call, name: string, id: string | undefined): Promise<ApiAnswer> {
  const { hub, request, query } = call
  const version = query.given('version')
  if (id !== undefined) checkId(id)
  const started = await hub.start(name, jsonBody(request), {
    ...(id === undefined ? {} : { id }),
    ...(version === undefined ? {} : { version }),
  })
  const seconds = Number(query.text('timeout'))
  if (seconds > 0 && (await hub.waitForEnd(started, seconds * 1_000))) {
    const row = hub.find(started)
    if (row) return told(200, row.status === 'Completed' ? JSON.parse(row.output ?? 'null') : viewOf(row))
  }
  return tellStarted(call, started)
}

function tellStarted(call: Call, id: string): ApiAnswer {
  if (call.request.isByClient) return told(202, { id })
  const { rewindPostUri: _, ...urls } = urlsOf(id, call)
  return told(202, urls, { location: urls.statusQueryGetUri, 'retry-after': '10' })
}

const urlsOf = (id: string, { hub, request, key }: Call) =>
  managementUrlsOf(id, { hubName: hub.settings.hubName, origin: `http://${request.host}`, key })

function checkId(id: string): void {
  if (id.startsWith('@')) throw badRequest('Orchestration instance ids must not start with @.')
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[/\\#?\u0000-\u001f]/.test(id))
    throw badRequest('Orchestration instance ids must not contain /, \\, #, ?, or control characters.')
  if (id.length > 100) throw badRequest('Orchestration instance ids must not be longer than 100 characters.')
}

function tellOne(call: Call, id: string): ApiAnswer {
  const { hub, query } = call
  const row = hub.find(id)
  // Not thrown: whoever starts a saga looks first whether it is there, and an error costs its stack.
  if (!row) return told(404)
  const view = statusView(row, {
    showInput: query.flag('showInput', true),
    showHistoryOutput: query.flag('showHistoryOutput', false),
    history: query.flag('showHistory', false) ? hub.historyOf(id) : undefined,
  })
  if (!hasEnded(row.status))
    return told(202, view, { location: urlsOf(id, call).statusQueryGetUri, 'retry-after': '5' })
  return told(row.status === 'Failed' && query.flag('returnInternalServerErrorOnFailure', false) ? 500 : 200, view)
}

function tellMany({ hub, request, query }: Call): ApiAnswer {
  const top = Number(query.text('top'))
  const token = request.continuationToken
  const { rows, next } = hub.page({
    ...filterOf(query),
    top: Number.isInteger(top) && top > 0 ? top : 100,
    ...(token === undefined ? {} : { token }),
  })
  const showInput = query.flag('showInput', true)
  return told(
    200,
    rows.map((row) => statusView(row, { showInput, showHistoryOutput: false, history: undefined })),
    next === undefined ? {} : { 'x-ms-continuation-token': next },
  )
}

async function purgeMany({ hub, query }: Call): Promise<ApiAnswer> {
  if (query.time('createdTimeFrom') === undefined)
    throw badRequest("Please provide value for 'createdTimeFrom' parameter.")
  const { statuses, ...filter } = filterOf(query)
  const ended = (statuses.length === 0 ? allStatuses : statuses).filter(hasEnded)
  let instancesDeleted = 0
  // What is purged is not on the next page: there may be more than fit into memory.
  for (let count = -1; count !== 0; instancesDeleted += count) {
    const rows = ended.length === 0 ? [] : hub.page({ ...filter, statuses: ended, top: 1_000 }).rows
    count = rows.length
    await Promise.all(rows.map(({ id }) => hub.purge(id)))
  }
  if (instancesDeleted === 0) throw noSuchInstance()
  return told(200, { instancesDeleted })
}

function filterOf(query: Query) {
  const prefix = query.text('instanceIdPrefix')
  const createdFrom = query.time('createdTimeFrom')
  const createdTo = query.time('createdTimeTo')
  return {
    statuses: query.list('runtimeStatus').filter(isStatus),
    ...(prefix === undefined ? {} : { prefix }),
    ...(createdFrom === undefined ? {} : { createdFrom }),
    ...(createdTo === undefined ? {} : { createdTo }),
  }
}

const allStatuses: readonly RuntimeStatus[] = ['Pending', 'Running', 'Suspended', 'Completed', 'Failed', 'Terminated']
const isStatus = (text: string): text is RuntimeStatus => allStatuses.some((status) => status === text)

function commandOf(operation: string): 'terminate' | 'suspend' | 'resume' {
  const name = operation.toLowerCase()
  return name === 'suspend' || name === 'resume' ? name : 'terminate'
}

const viewOf = (row: InstanceRow) => statusView(row, { showInput: true, showHistoryOutput: false, history: undefined })

/** The body as compact JSON text, or null when there is none. */
function jsonBody({ body, isByClient }: ApiRequest): string | null {
  if (body === '') return null
  try {
    const compact = isByClient ? body : JSON.stringify(JSON.parse(body))
    return compact === 'null' ? null : compact
  } catch {
    throw badRequest('Invalid JSON content')
  }
}

function queryOf(parameters: URLSearchParams): Query {
  const all = (name: string) =>
    [...parameters].filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  const text = (name: string) => all(name).find((value) => value !== '')
  return {
    given: (name) => all(name)[0],
    text,
    flag(name, otherwise) {
      const value = text(name)?.toLowerCase()
      return value === 'true' ? true : value === 'false' ? false : otherwise
    },
    time(name) {
      const ms = Date.parse(text(name) ?? '')
      return Number.isNaN(ms) ? undefined : ms
    },
    list: (name) => all(name).flatMap((value) => value.split(',')),
  }
}

function told(status: number, body?: unknown, headers: Readonly<Record<string, string>> = {}): ApiAnswer {
  if (body === undefined) return { status, headers }
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  }
}
