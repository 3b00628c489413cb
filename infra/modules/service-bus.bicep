// The namespace: what Dataverse posts to, what partners answer on, and where others hear of sagas.
//
// No sessions: the order of one row is kept by lanes, whatever way an event came.

param name string
param location string
param tags object
param sku string
param appPrincipalId string
param dataverseAuthentication string
param dataversePrincipalId string
param dataverseTopic string

var usesKey = dataverseAuthentication == 'sharedAccessKey'
var hasPlugin = !usesKey && !empty(dataversePrincipalId)
var hasTopic = !empty(dataverseTopic)
var topicParts = split(hasTopic ? dataverseTopic : 'none/none', '/')

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: sku, tier: sku, capacity: sku == 'Premium' ? 1 : null }
  properties: {
    minimumTlsVersion: '1.2'
    disableLocalAuth: !usesKey
  }
}

var patience = {
  lockDuration: 'PT1M'
  maxDeliveryCount: 10
  defaultMessageTimeToLive: 'P14D'
  // Nothing is lost by getting old: it goes where a person finds it.
  deadLetteringOnMessageExpiration: true
}

// Catches a sender that asks twice, and the app itself when it dies while it sends a dead letter again: longer than a lock, after which somebody can try
// once more. A copy has an id of its own, so it is not taken for what it is a copy of.
var duplicates = {
  requiresDuplicateDetection: true
  duplicateDetectionHistoryTimeWindow: 'PT10M'
}

resource dataverseEvents 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: 'dataverse-events'
  properties: union(patience, duplicates)
}

resource partnerReplies 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: 'partner-replies'
  properties: union(patience, duplicates)
}

// Others subscribe to it; without a subscription the service drops what is published.
resource notices 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' = {
  parent: namespace
  name: 'saga-notices'
  properties: union(duplicates, { defaultMessageTimeToLive: 'P14D' })
}

resource topic 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' = if (hasTopic) {
  parent: namespace
  name: topicParts[0]
  properties: { defaultMessageTimeToLive: 'P14D' }
}

resource subscription 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' = if (hasTopic) {
  parent: topic
  name: topicParts[1]
  properties: patience
}

// What the Dataverse service endpoint is registered with: it may send, to one entity, and nothing else.
resource dataverseSendsToQueue 'Microsoft.ServiceBus/namespaces/queues/authorizationRules@2024-01-01' = if (usesKey) {
  parent: dataverseEvents
  name: 'dataverse'
  properties: { rights: ['Send'] }
}

resource dataverseSendsToTopic 'Microsoft.ServiceBus/namespaces/topics/authorizationRules@2024-01-01' = if (usesKey && hasTopic) {
  parent: topic
  name: 'dataverse'
  properties: { rights: ['Send'] }
}

var dataReceiver = '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0'
var dataSender = '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
var receiverRole = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dataReceiver)
var senderRole = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dataSender)

resource receiveEvents 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(dataverseEvents.id, appPrincipalId, dataReceiver)
  scope: dataverseEvents
  properties: { principalId: appPrincipalId, principalType: 'ServicePrincipal', roleDefinitionId: receiverRole }
}

// The outbox publishes to it, and dead letters are sent again.
resource sendEvents 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(dataverseEvents.id, appPrincipalId, dataSender)
  scope: dataverseEvents
  properties: { principalId: appPrincipalId, principalType: 'ServicePrincipal', roleDefinitionId: senderRole }
}

resource receiveReplies 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(partnerReplies.id, appPrincipalId, dataReceiver)
  scope: partnerReplies
  properties: { principalId: appPrincipalId, principalType: 'ServicePrincipal', roleDefinitionId: receiverRole }
}

// Dead letters are sent again where they came from; those of the subscription go to dataverse-events, for nobody else is to hear them twice.
resource sendReplies 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(partnerReplies.id, appPrincipalId, dataSender)
  scope: partnerReplies
  properties: { principalId: appPrincipalId, principalType: 'ServicePrincipal', roleDefinitionId: senderRole }
}

resource sendNotices 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(notices.id, appPrincipalId, dataSender)
  scope: notices
  properties: { principalId: appPrincipalId, principalType: 'ServicePrincipal', roleDefinitionId: senderRole }
}

resource receiveTopic 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasTopic) {
  name: guid(subscription.id, appPrincipalId, dataReceiver)
  scope: subscription
  properties: { principalId: appPrincipalId, principalType: 'ServicePrincipal', roleDefinitionId: receiverRole }
}

resource pluginSendsToQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasPlugin) {
  name: guid(dataverseEvents.id, dataversePrincipalId, dataSender)
  scope: dataverseEvents
  properties: { principalId: dataversePrincipalId, principalType: 'ServicePrincipal', roleDefinitionId: senderRole }
}

resource pluginSendsToTopic 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasPlugin && hasTopic) {
  name: guid(topic.id, dataversePrincipalId, dataSender)
  scope: topic
  properties: { principalId: dataversePrincipalId, principalType: 'ServicePrincipal', roleDefinitionId: senderRole }
}

output id string = namespace.id
// The endpoint is https://{host}:443/, whatever cloud it is in.
output host string = split(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':')[0]
