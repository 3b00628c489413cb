// What somebody may get wrong in infra/, one thing at a time, and what is said about it.

import type { Check } from './infrastructure.js'
import { deployed, modules, names, parameters, syntax } from './names.js'
import { queues, runbook, settings, taskHub, told } from './product.js'
import { keys, rights, types } from './resources.js'

export interface Fault {
  readonly fault: string
  readonly file: string
  readonly from: string | RegExp
  readonly to: string
  readonly check: Check
  readonly says: string
}

const serviceBus = 'infra/modules/service-bus.bicep'
const functionApp = 'infra/modules/function-app.bicep'
const main = 'infra/main.bicep'

export const faults: readonly Fault[] = [
  {
    fault: 'a brace that is missing',
    file: serviceBus,
    from: '{ name: sku,',
    to: 'name: sku,',
    check: syntax,
    says: 'syntax',
  },
  {
    fault: 'a misspelled keyword',
    file: main,
    from: 'module storage',
    to: 'modul storage',
    check: syntax,
    says: 'syntax',
  },
  {
    fault: 'a name that nobody declared',
    file: main,
    from: 'location: location',
    to: 'location: region',
    check: names,
    says: "'region' is not declared",
  },
  {
    fault: 'a parameter that nobody uses',
    file: main,
    from: 'param erpUrl string',
    to: 'param erpUrl string\nparam colour string',
    check: names,
    says: "'colour' is not used",
  },
  {
    fault: 'a parameter that a module lacks',
    file: main,
    from: 'erpUrl: erpUrl',
    to: 'erpAddress: erpUrl',
    check: modules,
    says: "has no parameter 'erpAddress'",
  },
  {
    fault: 'a parameter that is not given',
    file: main,
    from: /^ +erpUrl: erpUrl\n/m,
    to: '',
    check: modules,
    says: "needs the parameter 'erpUrl'",
  },
  {
    fault: 'an output that a module lacks',
    file: main,
    from: 'serviceBus.outputs.host',
    to: 'serviceBus.outputs.hostName',
    check: modules,
    says: "has no output 'hostName'",
  },
  {
    fault: 'a parameter of azd that is unknown',
    file: 'infra/main.parameters.json',
    from: '"erpUrl"',
    to: '"erpAddress"',
    check: parameters,
    says: "needs 'erpUrl'",
  },
  {
    fault: 'a service of another name',
    file: 'azure.yaml',
    from: '  app:',
    to: '  api:',
    check: deployed,
    says: "azd-service-name 'api'",
  },
  {
    fault: 'an unknown property',
    file: 'infra/modules/durable-task.bicep',
    from: 'ipAllowlist',
    to: 'ipAllowList',
    check: types,
    says: "'properties.ipAllowList' is no property",
  },
  {
    fault: 'a property that must be there',
    file: 'infra/modules/durable-task.bicep',
    from: /^ +ipAllowlist.*\n/m,
    to: '',
    check: types,
    says: "needs 'properties.ipAllowlist'",
  },
  {
    fault: 'an unknown property in a variable',
    file: serviceBus,
    from: 'lockDuration',
    to: 'lockTime',
    check: types,
    says: "'properties.lockTime' is no property",
  },
  {
    fault: 'a duration that is none',
    file: serviceBus,
    from: "'PT1M'",
    to: "'1m'",
    check: types,
    says: "can not be '1m'",
  },
  {
    fault: 'a text for a flag',
    file: functionApp,
    from: 'httpsOnly: true',
    to: "httpsOnly: 'yes'",
    check: types,
    says: "can not be 'yes'",
  },
  {
    fault: 'a word that is not taken',
    file: functionApp,
    from: "name: 'FC1'",
    to: "name: 'Y1'",
    check: types,
    says: "can not be 'Y1'",
  },
  {
    fault: 'another version of a type',
    file: serviceBus,
    from: 'queues@2024-01-01',
    to: 'queues@2024-02-31',
    check: types,
    says: 'is not in the table',
  },
  {
    fault: 'the id of another role',
    file: serviceBus,
    from: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0',
    to: '090c5cfd-751d-490a-894a-3ce6f1109419',
    check: rights,
    says: "is not the role 'dataReceiver'",
  },
  {
    fault: 'a right on the whole group',
    file: serviceBus,
    from: '  scope: dataverseEvents\n',
    to: '',
    check: rights,
    says: 'gives a right on more than a resource',
  },
  {
    fault: 'a key that may do all',
    file: serviceBus,
    from: "['Send']",
    to: "['Send', 'Manage']",
    check: keys,
    says: 'may do more than send',
  },
  {
    fault: 'a key in an output',
    file: serviceBus,
    from: 'output id string = namespace.id',
    to: 'output id string = namespace.listKeys().key',
    check: keys,
    says: "'listKeys' puts a key",
  },
  {
    fault: 'a secret in an output',
    file: 'infra/modules/key-vault.bicep',
    from: 'output name string = vault.name',
    to: 'output name string = callbackSecret',
    check: keys,
    says: "output 'name' tells a secret",
  },
  {
    fault: 'another name of the start queue',
    file: serviceBus,
    from: "'dataverse-events'",
    to: "'dataverse-event'",
    check: queues,
    says: "there is no 'dataverse-events'",
  },
  {
    fault: 'a queue that nobody uses',
    file: serviceBus,
    from: "'partner-replies'",
    to: "'partner-answers'",
    check: queues,
    says: "no code uses 'partner-answers'",
  },
  {
    fault: 'a setting that is missing',
    file: functionApp,
    from: /^ +ERP_URL.*\n/m,
    to: '',
    check: settings,
    says: "reads 'ERP_URL', which is not set",
  },
  {
    fault: 'a setting that nobody reads',
    file: functionApp,
    from: 'ERP_URL:',
    to: 'EPR_URL:',
    check: settings,
    says: "nobody reads 'EPR_URL'",
  },
  {
    fault: 'another task hub',
    file: 'host.json',
    from: 'DataverseSaga',
    to: 'Sagas',
    check: taskHub,
    says: "and 'Sagas' in host.json",
  },
  {
    fault: 'another backend',
    file: 'host.json',
    from: 'azureManaged',
    to: 'AzureStorage',
    check: taskHub,
    says: "and 'AzureStorage' in host.json",
  },
  {
    fault: 'an alert without a chapter',
    file: 'docs/runbook.md',
    from: '## dead-letters',
    to: '## dead letters',
    check: runbook,
    says: "no chapter 'dead-letters'",
  },
  {
    fault: 'a metric that nobody tells',
    file: 'infra/modules/alerts.bicep',
    from: '"saga.debts"',
    to: '"saga.depts"',
    check: told,
    says: "tells no metric 'saga.depts'",
  },
]
