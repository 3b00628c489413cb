// The door of the test kit: `import { simulate, explore } from 'dataverse-saga/testkit'`.

export { anEvent, beginning } from './event.js'
export { applied, deferred, inDoubt, refused, type Script } from './partners.js'
export { type Call, type SagaWord, type Story, simulate, type Wait, type World } from './simulate.js'
export { TestkitError } from './testkit-error.js'
