// Whether what is deployed is what the code uses: queues, settings, the task hub, alerts and their metrics.

import { dimensions, entities, isWritten, metrics, settingsDescribed, settingsRead } from './app.js'
import { type BicepFile, bodyOf, literalOf, placeOf, propertiesIn, valueOf } from './bicep.js'
import { type Check, type Infrastructure, textOf } from './infrastructure.js'

const namesOf = ({ bicep }: Infrastructure, type: RegExp): { readonly name: string; readonly place: string }[] =>
  bicep.flatMap((file) =>
    file.resources
      .filter(({ of }) => type.test(of))
      .flatMap((resource) => {
        const value = propertiesIn(file, bodyOf(resource)).find(({ path }) => path === 'name')?.value
        const name = literalOf(value)
        return name === undefined ? [] : [{ name, place: placeOf(file, resource.node) }]
      }),
  )

export const queues: Check = (infrastructure) => {
  const deployed = namesOf(infrastructure, /^Microsoft\.ServiceBus\/namespaces\/(queues|topics)@/)
  return [
    ...entities
      .filter((name) => deployed.every((one) => one.name !== name))
      .map((name) => `infra/modules/service-bus.bicep: there is no '${name}', which the code uses`),
    ...deployed
      .filter(({ name }) => !entities.includes(name))
      .map(({ name, place }) => `${place}: no code uses '${name}'`),
  ]
}

/** What the app does with each: it settles what it takes, and sends dead letters again to its own queues. */
const uses: Readonly<Record<string, readonly string[]>> = {
  dataverseEvents: ['dataReceiver', 'dataSender'],
  partnerReplies: ['dataReceiver', 'dataSender'],
  subscription: ['dataReceiver'],
  notices: ['dataSender'],
}

/** The app may do with each queue what it does, and nothing else. */
export const access: Check = ({ bicep }) =>
  bicep
    .filter(({ path }) => path.endsWith('service-bus.bicep'))
    .flatMap((file) => {
      const given = file.resources.flatMap((resource) => {
        const said = new Map(propertiesIn(file, bodyOf(resource)).map(({ path, value }) => [path, value]))
        const isOfApp = said.get('properties.principalId')?.text === 'appPrincipalId'
        const definition = file.variables.get(said.get('properties.roleDefinitionId')?.text ?? '')
        const role = definition?.node.descendantsOfType('identifier').at(-1)?.text
        return isOfApp ? [`${said.get('scope')?.text}: ${role}`] : []
      })
      const wanted = Object.entries(uses).flatMap(([entity, all]) => all.map((role) => `${entity}: ${role}`))
      return [
        ...wanted.filter((one) => !given.includes(one)).map((one) => `infra/${file.path}: the app lacks ${one}`),
        ...given
          .filter((one) => !wanted.includes(one))
          .map((one) => `infra/${file.path}: the app does not need ${one}`),
      ]
    })

/** What only the platform reads, and why it is set. */
const platform: Readonly<Record<string, string>> = {
  AzureWebJobsStorage__accountName: 'the host keeps locks and keys there',
  AzureWebJobsStorage__credential: 'by identity, not by key',
  AzureWebJobsStorage__clientId: 'which identity',
  ServiceBusConnection__credential: 'the triggers come by identity, not by key',
  ServiceBusConnection__clientId: 'which identity',
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'host.json names it; where orchestrations are kept',
  APPLICATIONINSIGHTS_CONNECTION_STRING: 'where telemetry goes',
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'the host sends telemetry by identity, not by key',
  AZURE_CLIENT_ID: 'DefaultAzureCredential takes this identity',
}

/** What the code reads or the example describes, and is not set in Azure, and why. */
const elsewhere: Readonly<Record<string, string>> = {
  FUNCTIONS_WORKER_RUNTIME: 'functionAppConfig says it; Flex Consumption refuses the setting',
  AzureWebJobsStorage: 'a connection string; in Azure by identity',
  ServiceBusConnection: 'a connection string; in Azure by identity',
  TELEMETRY_DIR: 'below the temporary folder, as long as nobody wants another',
  WEBSITE_AUTH_ENABLED: 'the platform sets it where operatorClientId is given',
  READER_KEY: 'a key; in Azure people come by Entra ID, with operatorClientId',
  OPERATOR_KEY: 'a key; see READER_KEY',
  ADMIN_KEY: 'a key; see READER_KEY',
}

export const settings: Check = ({ bicep }) => {
  const set = bicep.flatMap((file) =>
    propertiesIn(file, valueOf(file.variables.get('settings'))).map(({ path, value }) => ({
      name: path,
      place: placeOf(file, value),
    })),
  )
  const wanted = new Set([...settingsRead(), ...settingsDescribed()])
  return [
    ...[...wanted]
      .filter((name) => !(name in elsewhere) && set.every((one) => one.name !== name))
      .map((name) => `infra/modules/function-app.bicep: the app reads '${name}', which is not set`),
    ...set
      .filter(({ name }) => !wanted.has(name) && !(name in platform))
      .map(({ name, place }) => `${place}: nobody reads '${name}'`),
  ]
}

interface HostJson {
  readonly extensions: {
    readonly durableTask: { readonly hubName: string; readonly storageProvider?: { readonly type: string } }
  }
}

/** host.json, the task hub and the default of the parameter say the same. */
export const taskHub: Check = (infrastructure) => {
  const { extensions } = JSON.parse(textOf(infrastructure, 'host.json')) as HostJson
  const { hubName, storageProvider } = extensions.durableTask
  const hubs = namesOf(infrastructure, /\/taskHubs@/)
  const main = infrastructure.bicep.find(({ path }) => path === 'main.bicep')
  const backend = literalOf(main?.params.get('durableBackend')?.node.namedChildren.at(-1))
  const inHostJson = storageProvider?.type ?? 'azureStorage'
  return [
    ...hubs
      .filter(({ name }) => name !== hubName)
      .map(({ name, place }) => `${place}: the task hub is '${name}', and '${hubName}' in host.json`),
    ...(backend?.toLowerCase() === inHostJson.toLowerCase()
      ? []
      : [`infra/main.bicep: durableBackend is '${backend}', and '${inHostJson}' in host.json`]),
  ]
}

/** Alerts are lists of objects with a name and a severity. */
function alertsIn(file: BicepFile): string[] {
  return file.root.descendantsOfType('object').flatMap((object) => {
    const said = propertiesIn(file, object)
    const name = literalOf(said.find(({ path }) => path === 'name')?.value)
    return name !== undefined && said.some(({ path }) => path === 'severity') ? [name] : []
  })
}

/** Who is woken at night finds a chapter under the alert's name. */
export const runbook: Check = (infrastructure) => {
  const alerts = infrastructure.bicep.flatMap(alertsIn)
  const chapters = [...textOf(infrastructure, 'docs/runbook.md').matchAll(/^## (.+)$/gm)].map(([, name = '']) => name)
  return [
    ...alerts.filter((name) => !chapters.includes(name)).map((name) => `docs/runbook.md: no chapter '${name}'`),
    ...chapters.filter((name) => !alerts.includes(name)).map((name) => `docs/runbook.md: no alert is named '${name}'`),
  ]
}

/** Alerts and the workbook ask for metrics that the app tells, and lines that it writes. */
export const told: Check = (infrastructure) =>
  ['infra/modules/alerts.bicep', 'infra/workbook.json'].flatMap((path) => {
    const asked = (pattern: RegExp) => [...textOf(infrastructure, path).matchAll(pattern)].map(([, what = '']) => what)
    return [
      ...asked(/name == \\?"([^"\\]+)/g)
        .filter((name) => !metrics.includes(name))
        .map((name) => `${path}: the app tells no metric '${name}'`),
      ...asked(/message has \\?"([^"\\]+)/g)
        .filter((words) => !isWritten(words))
        .map((words) => `${path}: the app writes no line '${words}'`),
      ...asked(/customDimensions\[\\?"([^"\\]+)/g)
        .filter((name) => !dimensions.includes(name))
        .map((name) => `${path}: the app tells no '${name}' of a metric`),
    ]
  })
