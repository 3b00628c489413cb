// An app of somebody else: triggers of every kind, which tell what they were called with over HTTP.

const { app, output } = require('@azure/functions')

const seen = []
const note = (name) => async (input, context) => {
  seen.push({ name, input, metadata: context.triggerMetadata })
  if (input === 'fails' && context.triggerMetadata.deliveryCount < 3) throw new Error('not yet')
}

// Two calls go on, and end, in the same moment.
let waiting
const withAnother = () =>
  new Promise((goOn) => {
    if (!waiting) waiting = goOn
    else {
      waiting()
      goOn()
      waiting = undefined
    }
  })

app.serviceBusTopic('topic', {
  connection: 'ServiceBusConnection',
  topicName: 'news',
  subscriptionName: 'mine',
  handler: note('topic'),
})
app.serviceBusQueue('mixed', {
  connection: 'ServiceBusConnection',
  queueName: 'mixed',
  handler: async (input, context) => {
    const { deliveryCount } = context.triggerMetadata
    seen.push({ name: 'mixed', input })
    if (deliveryCount > 1) return
    await withAnother()
    if (input === 'fails') throw new Error('not yet')
  },
})
app.serviceBusQueue('batch', {
  connection: 'ServiceBusConnection',
  queueName: 'many',
  cardinality: 'many',
  handler: note('batch'),
})
app.serviceBusQueue('sessions', {
  connection: 'ServiceBusConnection',
  queueName: 'ordered',
  isSessionsEnabled: true,
  handler: note('sessions'),
})
app.timer('everySecond', { schedule: '* * * * * *', handler: note('everySecond') })
app.timer('atStart', { schedule: '0 0 0 1 1 *', runOnStartup: true, handler: note('atStart') })
app.timer('daily', { schedule: '0 0 3 * * *', handler: note('daily') })
app.timer('stubborn', {
  schedule: '0 0 0 1 1 *',
  runOnStartup: true,
  retry: { strategy: 'fixedDelay', maxRetryCount: 2, delayInterval: { milliseconds: 10 } },
  handler: async (_, context) => {
    seen.push({ name: 'stubborn', input: context.retryContext ?? null })
    throw new Error('not today')
  },
})
app.timer('hangs', { schedule: '0 0 0 1 1 *', runOnStartup: true, handler: () => new Promise(() => {}) })
app.timer('hourly', { schedule: '0 0 * * * *', handler: note('hourly') })

app.get('seen', { handler: async () => ({ jsonBody: seen }) })

const out = output.serviceBusQueue({ connection: 'ServiceBusConnection', queueName: 'out' })
app.serviceBusQueue('out', { connection: 'ServiceBusConnection', queueName: 'out', handler: note('out') })
app.post('emit', {
  extraOutputs: [out],
  handler: async (_, context) => {
    context.extraOutputs.set(out, [{ n: 1 }, { n: 2 }])
    return { status: 202 }
  },
})
app.timer('emits', {
  schedule: '0 0 0 1 1 *',
  runOnStartup: true,
  return: output.serviceBusQueue({ connection: 'ServiceBusConnection', queueName: 'out' }),
  handler: async () => ({ from: 'timer' }),
})
