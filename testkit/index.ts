// The door of the test kit: what a test imports as the package path 'dataverse-saga/testkit'.

export type { SagaHistory } from '../src/saga/history.js'
export { type DurableRun, type DurableWorld, replayOrchestration, runOrchestration } from './durable.js'
export { anEvent, beginning } from './event.js'
export { type ExploreOptions, explore, follow, type Report } from './explore.js'
export type { Snapshot } from './check-state.js'
export { ExplorationError } from './violation.js'
export { applied, deferred, inDoubt, refused, type Script } from './partners.js'
export { ReplayError, replay } from './replay.js'
export { type Call, type SagaWord, type Story, simulate, type Wait, type World } from './simulate.js'
export { TestkitError } from './testkit-error.js'
