// An app with nothing but what the test hands over.

const df = require('durable-functions')
const { app } = require('@azure/functions')

const { orchestrations = {}, activities = {}, entities = {}, timers = {} } = globalThis.handedOver
const extraInputs = [df.input.durableClient()]
for (const [name, handler] of Object.entries(orchestrations)) df.app.orchestration(name, handler)
for (const [name, handler] of Object.entries(activities)) df.app.activity(name, { extraInputs, handler })
for (const [name, handler] of Object.entries(entities)) df.app.entity(name, handler)
for (const [name, { schedule, handler }] of Object.entries(timers)) app.timer(name, { schedule, extraInputs, handler })
