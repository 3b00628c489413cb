// An ordinary Durable Functions app that uses what orchestrators use.

const { app } = require('@azure/functions')
const df = require('durable-functions')

const minutes = (context, count) => new Date(context.df.currentUtcDateTime.getTime() + count * 60_000)

df.app.activity('shout', { handler: (text) => text.toUpperCase() })
df.app.activity('echo', { handler: (value) => value })

let failuresLeft = 0
df.app.activity('flaky', {
  handler: (failures) => {
    if (failuresLeft === 0) failuresLeft = failures + 1
    failuresLeft -= 1
    if (failuresLeft > 0) throw new Error(`no, ${failuresLeft} more`)
    return 'at last'
  },
})
df.app.activity('hopeless', {
  handler: () => {
    throw new TypeError('never')
  },
})

df.app.orchestration('sequence', function* (context) {
  const first = yield context.df.callActivity('shout', 'a')
  const second = yield context.df.callActivity('shout', `${first}b`)
  return { second, input: context.df.getInput() }
})

df.app.orchestration('tells', function* (context) {
  context.log('before')
  yield context.df.callActivity('echo', 1)
  context.log('after')
})

df.app.orchestration('fanOut', function* (context) {
  const names = Array.from({ length: 50 }, (_, index) => `n${index}`)
  return yield context.df.Task.all(names.map((name) => context.df.callActivity('shout', name)))
})

df.app.orchestration('types', function* (context) {
  const values = [1.5, true, null, 'text', '"quoted"', { deep: [1] }]
  const answers = []
  for (const value of values) answers.push(yield context.df.callActivity('echo', value))
  return answers
})

df.app.orchestration('retries', function* (context) {
  const retry = new df.RetryOptions(5, 4)
  return yield context.df.callActivityWithRetry('flaky', retry, 2)
})

df.app.orchestration('givesUp', function* (context) {
  try {
    yield context.df.callActivityWithRetry('hopeless', new df.RetryOptions(5, 2))
  } catch (error) {
    return `caught: ${error.message.split('\n')[0].trim()}`
  }
})

df.app.orchestration('fails', function* (context) {
  yield context.df.callActivity('hopeless')
})

df.app.orchestration('throwsNothing', function* () {
  yield* []
  throw ''
})

df.app.orchestration('timer', function* (context) {
  const before = context.df.currentUtcDateTime.getTime()
  yield context.df.createTimer(new Date(before + 50))
  return context.df.currentUtcDateTime.getTime() - before
})

/** An event, with one and the same timer as the deadline of every wait. */
df.app.orchestration('twoEvents', function* (context) {
  const deadline = context.df.createTimer(minutes(context, 60))
  const heard = []
  while (heard.length < 2) {
    const event = context.df.waitForExternalEvent('Word')
    const winner = yield context.df.Task.any([event, deadline])
    if (winner === deadline) return 'too late'
    heard.push(event.result)
  }
  deadline.cancel()
  return heard
})

df.app.orchestration('waits', function* (context) {
  context.df.setCustomStatus({ waitingFor: 'Word' })
  return yield context.df.waitForExternalEvent('Word')
})

df.app.orchestration('countsDown', function* (context) {
  const left = context.df.getInput()
  yield context.df.callActivity('echo', left)
  if (left > 0) context.df.continueAsNew(left - 1)
  else return 'lift off'
})

df.app.orchestration('tooMuchStatus', function* (context) {
  context.df.setCustomStatus('x'.repeat(9_000))
  yield context.df.callActivity('echo', 1)
})

df.app.orchestration('child', function* (context) {
  const { fails = 0, text = '' } = context.df.getInput() ?? {}
  if (fails > 0) yield context.df.callActivity('hopeless')
  return { text: yield context.df.callActivity('shout', text), parent: context.df.parentInstanceId }
})
df.app.orchestration('parent', function* (context) {
  const first = yield context.df.callSubOrchestrator('child', { text: 'a' })
  const others = yield context.df.Task.all([
    context.df.callSubOrchestrator('child', { text: 'b' }, `${context.df.instanceId}-b`),
    context.df.callSubOrchestrator('child', { text: 'c' }),
  ])
  return [first, ...others]
})
df.app.activity('looksAround', {
  extraInputs: [df.input.durableClient()],
  handler: async (id, context) => (await df.getClient(context).getStatus(id)).name,
})
df.app.orchestration('seesItself', function* (context) {
  return yield context.df.callActivity('looksAround', context.df.instanceId)
})
df.app.orchestration('asksOne', function* (context) {
  return yield context.df.callSubOrchestrator('child', { text: 'a' })
})

const soon = (context, ms) => context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + ms))
df.app.orchestration('waitsForBoth', function* (context) {
  yield context.df.Task.all([soon(context, 10), soon(context, 600)])
})
/** The other timer is not taken back: it keeps the instance. */
df.app.orchestration('waitsForEither', function* (context) {
  yield context.df.Task.any([soon(context, 10), soon(context, 600)])
})
df.app.orchestration('patientParent', function* (context) {
  const retries = new df.RetryOptions(10, 3)
  const failed = []
  for (const call of [
    () => context.df.callSubOrchestratorWithRetry('child', retries, { fails: 1 }, `${context.df.instanceId}-child`),
    () => context.df.callSubOrchestrator('nobody'),
  ])
    try {
      yield call()
    } catch (error) {
      failed.push(error.message)
    }
  return failed
})

let changed = false
df.app.orchestration('changes', function* (context) {
  const first = changed ? 'echo' : 'shout'
  yield context.df.callActivity(first, 'x')
  yield context.df.waitForExternalEvent('Word')
})
app.post('change', { handler: async () => void (changed = true) })

app.http('start', {
  route: 'start/{name}',
  methods: ['POST'],
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context)
    const id = await client.startNew(request.params.name, { input: await request.json() })
    return client.createCheckStatusResponse(request, id)
  },
})

app.http('mirror', {
  route: 'mirror/{first}/{number:int?}',
  methods: ['GET', 'POST'],
  handler: async (request) => ({
    status: 201,
    headers: { 'x-seen': request.headers.get('x-sent') ?? '' },
    cookies: [{ name: 'c', value: 'v', maxAge: 5 }],
    jsonBody: {
      params: request.params,
      query: request.query.get('q'),
      text: request.method === 'POST' ? await request.text() : null,
    },
  }),
})
app.get('nothing', { handler: async () => undefined })
app.get('broken', {
  handler: async () => {
    throw new Error('a bug')
  },
})

// Fails until it is mended from outside.
let broken = true
df.app.activity('breakable', {
  handler: (text) => {
    if (broken && !globalThis.mended) throw new Error('broken')
    return text
  },
})
df.app.orchestration('rewindableChild', function* (context) {
  return yield context.df.callActivity('breakable', 'child')
})
df.app.orchestration('rewindable', function* (context) {
  const before = yield context.df.callActivity('shout', 'before')
  return [before, yield context.df.callActivity('breakable', 'after')]
})
df.app.orchestration('rewindableParent', function* (context) {
  return [yield context.df.callSubOrchestrator('rewindableChild')]
})
app.post('mend', {
  handler: async () => {
    broken = false
    return { status: 204 }
  },
})

let polls = 0
app.http('job', {
  methods: ['GET', 'POST'],
  handler: async (request) => {
    polls += 1
    if (request.method === 'GET' && polls >= 3) return { jsonBody: { done: true, polls } }
    return { status: 202, headers: { location: request.url, 'retry-after': '1' } }
  },
})
df.app.orchestration('callsHttp', function* (context) {
  const { url, asks } = context.df.getInput()
  const answer = yield context.df.callHttp({ method: 'POST', url, body: { a: 1 }, enablePolling: asks })
  const after = yield context.df.callActivity('shout', 'after')
  return { status: answer.statusCode, content: answer.content, after }
})

df.app.entity('Counter', (context) => {
  const value = context.df.getState(() => 0)
  switch (context.df.operationName ?? '') {
    case 'add':
      return context.df.setState(value + context.df.getInput())
    case 'get':
      return context.df.return(value)
    case 'pass':
      return context.df.signalEntity(new df.EntityId('Counter', context.df.getInput()), 'add', value)
    case 'break':
      throw new Error('it broke')
    case 'exit':
      return process.exit(1)
    case 'delete':
      return context.df.destructOnExit()
    default:
      throw new Error(`There is no operation '${context.df.operationName}'.`)
  }
})
const counter = (key) => new df.EntityId('Counter', key)
df.app.orchestration('counts', function* (context) {
  const key = context.df.getInput()
  context.df.signalEntity(counter(key), 'add', 2)
  yield context.df.callEntity(counter(key), 'add', 3)
  const value = yield context.df.callEntity(counter(key), 'get')
  try {
    yield context.df.callEntity(counter(key), 'break')
  } catch {
    return { value, broke: true, after: yield context.df.callActivity('shout', 'after') }
  }
})
df.app.orchestration('transfers', function* (context) {
  const { from, to, amount } = context.df.getInput()
  const lock = yield context.df.lock([counter(from), counter(to)])
  const balance = yield context.df.callEntity(counter(from), 'get')
  if (balance >= amount) {
    yield context.df.callEntity(counter(from), 'add', -amount)
    yield context.df.callActivity('shout', 'halfway')
    yield context.df.callEntity(counter(to), 'add', amount)
  }
  lock.release()
  return balance >= amount
})
app.post('signal/{key}', {
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const { operation, input } = await request.json()
    await df.getClient(context).signalEntity(counter(request.params.key), operation, input)
    return { status: 202 }
  },
})
app.get('read/{key}', {
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => ({
    jsonBody: await df.getClient(context).readEntityState(counter(request.params.key)),
  }),
})

// A bit of everything, to be killed in.
df.app.orchestration('survives', function* (context) {
  const { key } = context.df.getInput()
  const shouted = yield context.df.callActivity('shout', key)
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 200))
  const child = yield context.df.callSubOrchestrator('child', { text: key }, `${context.df.instanceId}-child`)
  context.df.signalEntity(counter('survivors'), 'add', 1)
  yield context.df.callEntity(counter(key), 'add', 1)
  const heard = yield context.df.waitForExternalEvent('go')
  return [shouted, child.text, yield context.df.callEntity(counter(key), 'get'), heard]
})

// What goes wrong in other people's code.
df.app.activity('large', { handler: (size) => 'x'.repeat(size) })
df.app.activity('circular', {
  handler: () => {
    const circular = {}
    circular.itself = circular
    return circular
  },
})
df.app.orchestration('carriesMuch', function* (context) {
  const text = yield context.df.callActivity('large', context.df.getInput())
  return text.length
})
df.app.orchestration('getsCircular', function* (context) {
  try {
    return yield context.df.callActivity('circular')
  } catch (error) {
    return error.message
  }
})
// oxlint-disable-next-line eslint/require-yield
df.app.orchestration('returnsNoJson', function* () {
  return 10n
})
df.app.orchestration('isNoGenerator', () => 'at once')
// oxlint-disable-next-line eslint/require-yield
df.app.orchestration('neverYields', function* () {
  return 'at once'
})
df.app.orchestration('yieldsNonsense', function* () {
  yield 42
})

// What ends, or holds, the process that it runs in.
df.app.activity('exits', { handler: () => process.exit(1) })
df.app.activity('throwsLater', {
  handler: () =>
    new Promise(() => {
      setTimeout(() => {
        throw new Error('nobody catches this')
      }, 10)
    }),
})
df.app.orchestration('calls', function* (context) {
  return yield context.df.callActivity(context.df.getInput(), 'x')
})
df.app.orchestration('callsLethalEntity', function* (context) {
  yield context.df.callEntity(counter('lethal'), 'exit')
})
// oxlint-disable-next-line eslint/require-yield
df.app.orchestration('exitsItself', function* () {
  process.abort()
})
// oxlint-disable-next-line eslint/require-yield
df.app.orchestration('neverEnds', function* () {
  for (;;);
})
