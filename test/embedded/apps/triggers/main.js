// An app of somebody else: triggers of every kind, which tell what they were called with over HTTP.

const { app, output } = require('@azure/functions')

const seen = []
const note = (name) => async (input, context) => {
  seen.push({ name, input, metadata: context.triggerMetadata })
  if (input === 'fails' && context.triggerMetadata.deliveryCount < 3) throw new Error('not yet')
}

app.serviceBusTopic('topic', {
  connection: 'ServiceBusConnection',
  topicName: 'news',
  subscriptionName: 'mine',
  handler: note('topic'),
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
