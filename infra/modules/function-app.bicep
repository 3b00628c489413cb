// The app on Flex Consumption, and every setting that it reads.

param name string
param location string
param tags object
param identityId string
param identityClientId string
param storageName string
param packagesUrl string
@description('Empty when orchestrations are kept in the storage account.')
param schedulerEndpoint string
param serviceBusHost string
param insightsConnectionString string
param vaultUrl string
@description('Empty without a network of the app\'s own.')
param subnetId string
param alwaysReadyInstances int
param maximumInstances int
param dataverseUrl string
param masterDataUrl string
param erpUrl string
param dataverseTopic string
param outboxSet string
param watchdogSchedule string
param noticesTopic string
@secure()
param noticeWebhookUrl string
param outboxSchedule string
param reconcileSchedule string
param reconcileGraceSeconds string
param reconcileReachDays string
@description('Empty when operators come with keys.')
param operatorClientId string
param operatorKeyRole string
param telemetryShare string
param tracesUrl string

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packagesUrl
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'node', version: '22' }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReadyInstances == 0 ? [] : [{ name: 'durable', instanceCount: alwaysReadyInstances }]
      }
    }
    siteConfig: { minTlsVersion: '1.2' }
  }
}

// An empty one is not set: the app then does what it does without it.
var settings = {
  AzureWebJobsStorage__accountName: storageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: empty(schedulerEndpoint)
    ? ''
    : 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${identityClientId}'
  ServiceBusConnection__fullyQualifiedNamespace: serviceBusHost
  ServiceBusConnection__credential: 'managedidentity'
  ServiceBusConnection__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  AZURE_CLIENT_ID: identityClientId
  DATAVERSE_URL: dataverseUrl
  MASTER_DATA_URL: masterDataUrl
  ERP_URL: erpUrl
  // Read from the vault by the app itself, so that a rotated one is known at once.
  KEY_VAULT_URL: vaultUrl
  ERP_API_KEY: 'vault:erp-api-key'
  CALLBACK_URL: 'https://${app.properties.defaultHostName}'
  CALLBACK_SECRET: 'vault:callback-secret'
  DATAVERSE_EVENTS_TOPIC: dataverseTopic
  OUTBOX_SET: outboxSet
  OUTBOX_SCHEDULE: outboxSchedule
  RECONCILE_SCHEDULE: reconcileSchedule
  RECONCILE_GRACE_SECONDS: reconcileGraceSeconds
  RECONCILE_REACH_DAYS: reconcileReachDays
  WATCHDOG_SCHEDULE: watchdogSchedule
  NOTICES_TOPIC: noticesTopic
  NOTICE_WEBHOOK_URL: noticeWebhookUrl
  NOTICE_WEBHOOK_SECRET: empty(noticeWebhookUrl) ? '' : 'vault:notice-webhook-secret'
  OPERATOR_AUTH: empty(operatorClientId) ? '' : 'entra'
  OPERATOR_KEY_ROLE: operatorKeyRole
  TELEMETRY_SHARE: telemetryShare
  TRACES_URL: tracesUrl
}

resource appSettings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: toObject(
    filter(items(settings), setting => !empty(setting.value)),
    setting => setting.key,
    setting => setting.value
  )
}

// The platform says who calls; the app decides what they may. Whoever has not signed in comes through, for webhooks, partners and probes.
resource signIn 'Microsoft.Web/sites/config@2024-11-01' = if (!empty(operatorClientId)) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: { requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous' }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: operatorClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: { allowedAudiences: [operatorClientId, 'api://${operatorClientId}'] }
      }
    }
  }
}

// No password opens the way to the app's files.
resource noPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = [
  for door in ['ftp', 'scm']: {
    parent: app
    name: door
    properties: { allow: false }
  }
]

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
