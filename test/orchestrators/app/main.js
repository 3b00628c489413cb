// An app with nothing but what the test hands over.

const df = require('durable-functions')

df.app.orchestration('saga', globalThis.underTest.orchestrator)
df.app.activity('askPartner', { handler: globalThis.underTest.askPartner })
df.app.entity('lane', globalThis.underTest.lane)
df.app.activity('tellLane', { handler: globalThis.underTest.tellLane })
df.app.activity('isRunning', { handler: globalThis.underTest.isRunning })
