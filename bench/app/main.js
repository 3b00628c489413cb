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

// contact-onboarding as somebody writes it who has no saga engine: the same calls, keys and undo, in one function.

df.app.activity('call', {
  async handler({ setting, method, path, key, body }) {
    const response = await fetch(`${process.env[setting]}${path}`, {
      method,
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  },
})

df.app.orchestration('byHand', function* (context) {
  const { rowId } = context.df.getInput().event
  const call = (step, setting, method, path, body) =>
    context.df.callActivity('call', { step, setting, method, path, key: `${context.df.instanceId}:${step}`, body })
  const contact = `/api/data/v9.2/contacts(${rowId})`

  const { body: row } = yield call('snapshot', 'DATAVERSE_URL', 'GET', `${contact}?$select=fullname,emailaddress1`)
  const person = { rowId, name: row.fullname, email: row.emailaddress1 }
  const { body: record } = yield call('register', 'MASTER_DATA_URL', 'POST', '/records', person)
  yield call('store-key', 'DATAVERSE_URL', 'PATCH', contact, { dvs_masterdataid: record.id })
  const { status } = yield call('create-customer', 'ERP_URL', 'POST', '/customers', { ...person, masterId: record.id })
  if (status < 400) return 'completed'
  yield call('undo store-key', 'DATAVERSE_URL', 'PATCH', contact, { dvs_masterdataid: null })
  yield call('undo register', 'MASTER_DATA_URL', 'POST', `/records/${record.id}/retire`)
  return 'compensated'
})
