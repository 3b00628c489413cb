// An app with nothing but the orchestrator and the activity that the test hands over.

const df = require('durable-functions')

df.app.orchestration('saga', globalThis.underTest.orchestrator)
df.app.activity('askPartner', { handler: globalThis.underTest.askPartner })
