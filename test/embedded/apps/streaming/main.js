// An app of somebody else that streams its HTTP, has versions, a function that is switched off, outputs to services that are not here, and errors of its own.

const { app, output } = require('@azure/functions')
const df = require('durable-functions')

app.setup({ enableHttpStream: true })

app.http('echo', {
  route: 'echo/{who}',
  methods: ['GET', 'POST'],
  handler: async (request) => {
    const given = request.method === 'POST' ? request.body : 'nothing'
    return {
      status: 201,
      headers: {
        'x-who': request.params.who,
        'x-query': request.query.get('q') ?? '',
        'x-also': request.params.q ?? '',
      },
      cookies: [{ name: 'c', value: 'v' }],
      body: given,
    }
  },
})
app.get('silent', { handler: async () => undefined })
app.get('broken', {
  handler: async () => {
    throw new Error('a bug')
  },
})
async function* ticking() {
  for (let count = 0; count < 500; count++) {
    yield new TextEncoder().encode('tick ')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
app.get('ticking', { handler: async () => ({ body: ticking(), headers: { 'content-type': 'text/event-stream' } }) })
app.http('locked', { route: 'locked', authLevel: 'function', handler: async () => ({ body: 'open' }) })
app.get('never', { handler: async () => ({ body: 'here' }) })

app.http('start', {
  route: 'start',
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context)
    // As on the platform, what stands in the query is a parameter too.
    const id = await client.startNew(request.params.name, { version: request.query.get('version') ?? undefined })
    return client.createCheckStatusResponse(request, id)
  },
})

// oxlint-disable-next-line eslint/require-yield
df.app.orchestration('versioned', function* (context) {
  return `version '${context.df.version}'`
})
df.app.orchestration('versionedParent', function* (context) {
  return yield context.df.callSubOrchestrator('versioned', undefined, undefined, '1.0')
})

class RefusedError extends Error {
  name = 'RefusedError'
  reasons = ['too young', 3]
}
df.app.setExceptionPropertiesProvider({
  getExceptionProperties: (error) => (error instanceof RefusedError ? { reasons: error.reasons } : undefined),
})
df.app.activity('refuses', {
  handler: () => {
    throw new RefusedError('not this one')
  },
})
df.app.orchestration('learnsWhy', function* (context) {
  try {
    yield context.df.callActivity('refuses')
  } catch (error) {
    const { errorType, errorMessage, properties } = error.failureDetails
    return { errorType, errorMessage, properties }
  }
})

const sms = output.generic({ type: 'twilioSms', from: '+1', accountSidSetting: 'a', authTokenSetting: 'b' })
df.app.activity('texts', {
  extraOutputs: [sms],
  handler: (text, context) => {
    context.extraOutputs.set(sms, { body: text })
    return 'sent'
  },
})
df.app.orchestration('sendsText', function* (context) {
  return yield context.df.callActivity('texts', 'hello')
})

df.app.activity('switchedOff', { handler: () => 'never' })
df.app.orchestration('callsSwitchedOff', function* (context) {
  return yield context.df.callActivity('switchedOff')
})

df.app.orchestration('sleeper', function* (context) {
  yield context.df.waitForExternalEvent('never')
})
df.app.orchestration('sleepingParent', function* (context) {
  yield context.df.callSubOrchestrator('sleeper', undefined, `${context.df.instanceId}-child`)
})

let polls = 0
app.http('job', {
  methods: ['GET', 'POST'],
  handler: async (request) => {
    polls += 1
    const authorization = request.headers.get('authorization') ?? ''
    return polls < 3 ? { status: 202, headers: { location: request.url } } : { jsonBody: { authorization } }
  },
})
df.app.orchestration('callsWithToken', function* (context) {
  const answer = yield context.df.callHttp({
    method: 'POST',
    url: context.df.getInput(),
    tokenSource: new df.ManagedIdentityTokenSource('https://resource.example'),
  })
  return answer.content
})

const ticks = []
app.timer('tick', { schedule: '0 0 0 1 1 *', handler: async (timer) => void ticks.push(timer.isPastDue) })
app.get('ticks', { handler: async () => ({ jsonBody: ticks }) })
