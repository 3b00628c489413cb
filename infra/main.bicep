// All that the app needs in Azure: one resource group, one module per service, no key in any setting.
//
// Plain resources instead of the registry's modules, so that every name and property can be checked without a network (test/infra).

targetScope = 'subscription'

@minLength(1)
@maxLength(32)
@description('Names the environment; the names of all resources are derived from it.')
param environmentName string

@metadata({ azd: { type: 'location' } })
@description('A region that has Flex Consumption and, by default, the Durable Task Scheduler.')
param location string

@allowed(['azureManaged', 'azureStorage'])
@description('Where orchestrations are kept: the Durable Task Scheduler, or tables and queues of the app\'s storage account. host.json must say the same.')
param durableBackend string = 'azureManaged'

@allowed(['Consumption', 'Dedicated'])
@description('How the Durable Task Scheduler is paid: per action, or per capacity unit.')
param schedulerSku string = 'Consumption'

@allowed(['Standard', 'Premium'])
param serviceBusSku string = 'Standard'

@allowed(['sharedAccessKey', 'managedIdentity'])
@description('How Dataverse posts: a service endpoint of its own needs a key, which may only send; a plug-in with managed identity needs none, and then keys are off.')
param dataverseAuthentication string = 'sharedAccessKey'

@description('Object id of the plug-in\'s managed identity; for managedIdentity only.')
param dataversePrincipalId string = ''

@description('topic/subscription that Dataverse posts to besides the queue; created if named.')
param dataverseTopic string = ''

@description('Address of the Dataverse environment, without /api/data.')
param dataverseUrl string

@description('Address of the master data system.')
param masterDataUrl string

@description('Address of the ERP.')
param erpUrl string

@description('Entity set of the outbox table, such as dvs_outboxes; none if empty.')
param outboxSet string = ''

@description('When the outbox is looked at, as NCRONTAB; the app\'s own if empty.')
param outboxSchedule string = ''

@description('When Dataverse is compared with the sagas, as NCRONTAB; never by itself if empty.')
param reconcileSchedule string = ''

@description('Seconds that a change may be without its saga; the app\'s own if empty.')
param reconcileGraceSeconds string = ''

@description('Days back for which a change without a saga is started; the app\'s own if empty.')
param reconcileReachDays string = ''

@description('When sagas are looked for that have stopped moving, as NCRONTAB; the app\'s own if empty.')
param watchdogSchedule string = ''

@allowed(['', 'saga-notices'])
@description('Topic that notices of sagas are sent to; nobody is told if empty.')
param noticesTopic string = ''

@secure()
@description('Where notices of sagas are posted to; nowhere if empty. Its secret lies in the vault as notice-webhook-secret, and is put there by whoever has it.')
param noticeWebhookUrl string = ''

@description('Client id of the app registration that operators sign in to, with the app roles Saga.Reader, Saga.Operator, Saga.Admin; function keys decide if empty.')
param operatorClientId string = ''

@allowed(['', 'Reader', 'Operator', 'Admin'])
@description('What a function key may, without operatorClientId; the app\'s own if empty.')
param operatorKeyRole string = ''

@description('The part of sagas whose traces are kept, from 0 to 1; all if empty. Failures are kept always.')
param telemetryShare string = ''

@description('Address of a page that shows a saga\'s trace, with {id} for its id. The console links to it.')
param tracesUrl string = ''

@description('Who is told of alerts; nobody if empty.')
param alertEmail string = ''

@description('Storage and vault are reached through a network of the app\'s own, and closed to all others.')
param privateNetworking bool = false

@description('Instances of the durable functions that are always ready; 0 scales to zero.')
param alwaysReadyInstances int = 1

@description('The most instances that the platform adds.')
param maximumInstances int = 40

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: { name: 'id-saga-${token}', location: location, tags: tags }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: { token: token, location: location, tags: tags, appPrincipalId: identity.outputs.principalId }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  scope: group
  params: { name: 'vnet-saga-${token}', location: location, tags: tags }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: 'stsaga${token}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    keepsOrchestrations: durableBackend == 'azureStorage'
    isPrivate: privateNetworking
  }
}

module durableTask 'modules/durable-task.bicep' = if (durableBackend == 'azureManaged') {
  scope: group
  params: {
    name: 'dts-saga-${token}'
    location: location
    tags: tags
    sku: schedulerSku
    appPrincipalId: identity.outputs.principalId
  }
}

module serviceBus 'modules/service-bus.bicep' = {
  scope: group
  params: {
    name: 'sb-saga-${token}'
    location: location
    tags: tags
    sku: serviceBusSku
    appPrincipalId: identity.outputs.principalId
    dataverseAuthentication: dataverseAuthentication
    dataversePrincipalId: dataversePrincipalId
    dataverseTopic: dataverseTopic
  }
}

module keyVault 'modules/key-vault.bicep' = {
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    isPrivate: privateNetworking
  }
}

module privateEndpoints 'modules/private-endpoints.bicep' = if (privateNetworking) {
  scope: group
  params: {
    location: location
    tags: tags
    networkId: network!.outputs.networkId
    subnetId: network!.outputs.endpointsSubnetId
    storageId: storage.outputs.id
    vaultId: keyVault.outputs.id
  }
}

module functionApp 'modules/function-app.bicep' = {
  scope: group
  params: {
    name: 'func-saga-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    packagesUrl: storage.outputs.packagesUrl
    schedulerEndpoint: durableBackend == 'azureManaged' ? durableTask!.outputs.endpoint : ''
    serviceBusHost: serviceBus.outputs.host
    insightsConnectionString: monitoring.outputs.connectionString
    vaultUrl: keyVault.outputs.url
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
    alwaysReadyInstances: alwaysReadyInstances
    maximumInstances: maximumInstances
    dataverseUrl: dataverseUrl
    masterDataUrl: masterDataUrl
    erpUrl: erpUrl
    dataverseTopic: dataverseTopic
    outboxSet: outboxSet
    outboxSchedule: outboxSchedule
    reconcileSchedule: reconcileSchedule
    reconcileGraceSeconds: reconcileGraceSeconds
    reconcileReachDays: reconcileReachDays
    watchdogSchedule: watchdogSchedule
    noticesTopic: noticesTopic
    noticeWebhookUrl: noticeWebhookUrl
    operatorClientId: operatorClientId
    operatorKeyRole: operatorKeyRole
    telemetryShare: telemetryShare
    tracesUrl: tracesUrl
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    email: alertEmail
    insightsId: monitoring.outputs.insightsId
    serviceBusId: serviceBus.outputs.id
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  params: { location: location, tags: tags, insightsId: monitoring.outputs.insightsId }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = functionApp.outputs.name
output AZURE_FUNCTION_APP_URL string = functionApp.outputs.url
output AZURE_KEY_VAULT_NAME string = keyVault.outputs.name
output APP_IDENTITY_CLIENT_ID string = identity.outputs.clientId
output SERVICE_BUS_HOST string = serviceBus.outputs.host
