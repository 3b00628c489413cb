// Writes into host.json where orchestrations are kept, as DURABLE_BACKEND says. The platform scales by what it reads in the file, and knows nothing of app settings.

import { readFileSync, writeFileSync } from 'node:fs'

const backends = {
  azureManaged: { type: 'azureManaged', connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING' },
  // With few instances, waiting long between two looks at an empty queue would be felt in every step.
  azureStorage: { type: 'AzureStorage', maxQueuePollingInterval: '00:00:10' },
}

const chosen = process.env.DURABLE_BACKEND || 'azureManaged'
if (!Object.hasOwn(backends, chosen)) {
  console.error(`DURABLE_BACKEND is '${chosen}', and must be one of ${Object.keys(backends).join(', ')}.`)
  process.exit(1)
}

const path = 'host.json'
const before = readFileSync(path, 'utf8')
const host = JSON.parse(before)
host.extensions.durableTask.storageProvider = backends[chosen]
const after = `${JSON.stringify(host, null, 2)}\n`
if (after !== before) {
  writeFileSync(path, after)
  console.log(`host.json keeps orchestrations in ${chosen} now. Commit it.`)
}
