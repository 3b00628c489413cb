// Introduces store, broker, task hub and Functions host to each other: one machine without Azure, running one compiled app.
//
// Never: imports the app, nor anything of it. Its code runs in a worker, which may live in another thread.

import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { systemClock } from './clock.js'
import type { Reach } from './crash-points.js'
import { textIn } from './functions/app-files.js'
import { captureOutputs, isCaptured } from './functions/captured-outputs.js'
import { durableCodeOf } from './functions/durable-code.js'
import { type FunctionApp, functionAppOf } from './functions/function-app.js'
import { openHttpServer } from './functions/http-server.js'
import { identityToken } from './functions/identity-token.js'
import { keysIn } from './functions/keys.js'
import { ServiceBusConnections } from './functions/service-bus-connection.js'
import { ServiceBusOutputs } from './functions/service-bus-outputs.js'
import { pathOf, type ServiceBusSource, serviceBusSourcesOf } from './functions/service-bus-source.js'
import { startServiceBusTriggers } from './functions/service-bus-triggers.js'
import { checkBindings } from './functions/supported-bindings.js'
import { startTimerTriggers } from './functions/timer-triggers.js'
import type { Worker } from './functions/worker.js'
import type { Log } from './log.js'
import { startBroker } from './servicebus/broker.js'
import { NearbyQueue } from './servicebus/nearby.js'
import { compactStore } from './store/compaction.js'
import { openStore } from './store/store.js'
import { clientBindingOf } from './taskhub/client-binding.js'
import { type HubApi, hubApi } from './taskhub/hub-api.js'
import { TaskHub } from './taskhub/hub.js'
import { overHttp } from './taskhub/over-http.js'
import { openRpcEndpoint, rpcPath } from './taskhub/rpc-endpoint.js'
import { readHubSettings } from './taskhub/settings.js'

/** Where an app that is loaded finds what is around it. */
export interface AppPlace {
  /** Of its HTTP endpoints, as host:port. */
  readonly hostname: string
  /** Where its durable client finds the hub; ends with a slash. */
  readonly hubUrl: string
}

export interface HostOptions {
  /** Loads the app; its settings are in the environment from then on. @param askHub for an app that needs no socket to ask it */
  load(place: AppPlace, askHub: HubApi): Promise<Worker>
  /** Where everything that must survive is kept; made if it does not exist. */
  readonly data: string
  /** HTTP; 0 for any free port. */
  readonly port: number
  /** AMQP; 0 for any free port. */
  readonly amqpPort: number
  readonly log: Log
  readonly reach: Reach
  /** Topics with one subscription each, for those that the app only sends to. */
  readonly topics?: readonly { readonly topic: string; readonly subscription: string }[]
  /** Whether the app's own code ended the process before this one: it is looked for, and fails. */
  readonly diedOfItself?: boolean
}

export interface Host {
  readonly port: number
  readonly amqpPort: number
  readonly connectionString: string
  /** Takes nothing new, ends what is running, closes the store. */
  close(): Promise<void>
}

const host = '127.0.0.1'
const managementPath = '/runtime/webhooks/durabletask'

/** @throws HostError, or a listener's error such as EADDRINUSE */
export async function startHost(options: HostOptions): Promise<Host> {
  const { log, reach, port, amqpPort } = options
  const data = resolve(options.data)
  mkdirSync(data, { recursive: true })
  await compactStore(data)
  const store = openStore(data)
  const clock = systemClock
  const http = await openHttpServer({ host, port, log })
  const broker = await startBroker({ store, clock, reach, log, host, port: amqpPort })
  const connectionString = connectionStringOf(broker.port)
  // The app's own settings win; without any it is connected to the broker here.
  process.env['ServiceBusConnection'] ??= connectionString

  const rpc = await openRpcEndpoint(log)
  const app = functionAppOf(await options.load({ hostname: `${host}:${http.port}`, hubUrl: rpc.baseUrl }, rpc.ask))
  checkBindings(app)
  for (const { entity, hasSessions } of serviceBusSourcesOf(app))
    if (entity.kind === 'queue') await broker.namespace.declareQueue(entity.queue, hasSessions)
    else await broker.namespace.declareSubscription(entity.topic, entity.subscription, hasSessions)
  for (const { outputs: bindings } of app.functions)
    for (const binding of bindings) {
      const queue = textIn(binding, 'queueName')
      if (binding.type.toLowerCase() === 'servicebus' && queue !== '') await broker.namespace.declareQueue(queue)
    }
  for (const { topic, subscription } of options.topics ?? [])
    await broker.namespace.declareSubscription(topic, subscription)
  const hub = openHub(app)
  const keys = keysIn(process.env)
  const managementKey = keys.host ?? keys.master ?? 'local'
  rpc.serve(hubApi(hub, rpcPath, managementKey))
  const binding = clientBindingOf({
    hubName: hub.settings.hubName,
    origin: `http://${host}:${http.port}`,
    rpcBaseUrl: rpc.baseUrl,
    key: managementKey,
  })
  const extraInput = (type: string) => (type.toLowerCase() === 'durableclient' ? { string: binding } : undefined)
  await hub.recover({ diedOfItself: options.diedOfItself ?? false })
  const mounts = [{ path: managementPath, handle: overHttp(hubApi(hub, managementPath, managementKey)) }]
  http.serve({ app, extraInput, mounts, keys })
  const connections = new ServiceBusConnections()
  const outputs = new ServiceBusOutputs(connections)
  const kept = join(data, 'outputs')
  const capture = captureOutputs(kept)
  for (const { name, outputs: bindings } of app.functions)
    for (const { type } of bindings.filter(isCaptured))
      log('warn', name, `Its output '${type}' goes nowhere from here; what it writes is kept in ${kept}.`)
  app.onOutput((name, output, written) =>
    isCaptured(output) ? capture(name, output, written) : outputs.write(name, output, written),
  )
  const nearby = (source: ServiceBusSource) => {
    if (process.env[source.setting] !== connectionString) return undefined
    const queue = broker.namespace.toReceiveFrom(pathOf(source))
    return queue.sessions ? undefined : new NearbyQueue(queue, clock)
  }
  const triggers = await startServiceBusTriggers({ app, log, extraInput, connections, nearby })
  const timers = startTimerTriggers({ app, clock, store, log, extraInput })

  function openHub(loaded: FunctionApp): TaskHub {
    const settings = readHubSettings(loaded.hostJson.extensions.durableTask, log)
    return new TaskHub({
      store,
      clock,
      reach,
      log,
      code: durableCodeOf(loaded, (type) => extraInput(type)),
      settings,
      tokenFor: identityToken,
    })
  }

  return {
    port: http.port,
    amqpPort: broker.port,
    connectionString,
    async close() {
      await timers.close()
      await triggers.close()
      await http.close()
      await hub.close()
      await rpc.close()
      await app.stop()
      await connections.close()
      await broker.close()
      await store.close()
    },
  }
}

/** The client needs a key, of any value, and the flag that makes it speak plain TCP. */
function connectionStringOf(amqpPort: number): string {
  return [
    `Endpoint=sb://${host}:${amqpPort}`,
    'SharedAccessKeyName=RootManageSharedAccessKey',
    'SharedAccessKey=local',
    'UseDevelopmentEmulator=true',
  ].join(';')
}
