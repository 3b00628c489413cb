// The vault: what partners must know us by. The app may read secrets, and nobody by a key.
// What a partner gave us is put there by a person: az keyvault secret set --vault-name ... --name erp-api-key --value ...

param name string
param location string
param tags object
param appPrincipalId string
param workspaceId string
param isPrivate bool

@secure()
@description('Signs the addresses that partners answer to. Written once: a later deployment leaves the secret as it is.')
param callbackSecret string = '${newGuid()}${newGuid()}'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: isPrivate ? 'Deny' : 'Allow', bypass: 'AzureServices' }
  }
}

@onlyIfNotExists()
resource callback 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'callback-secret'
  properties: { value: callbackSecret }
}

// Who read which secret, and when.
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}

var keyVaultSecretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource read 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appPrincipalId, keyVaultSecretsUser)
  scope: vault
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
  }
}

output id string = vault.id
output name string = vault.name
output url string = vault.properties.vaultUri
