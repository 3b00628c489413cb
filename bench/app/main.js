// What the task hub is measured with: a chain of activities, and a fan-out.

const df = require('durable-functions')

df.app.activity('step', { handler: (input) => ({ done: input.step }) })

df.app.orchestration('chain', function* (context) {
  const { length } = context.df.getInput()
  for (let step = 0; step < length; step++) yield context.df.callActivity('step', { step })
  return length
})

df.app.orchestration('fanOut', function* (context) {
  const { length } = context.df.getInput()
  const all = yield context.df.Task.all(Array.from({ length }, (_, step) => context.df.callActivity('step', { step })))
  return all.length
})
