// Doors into the app's network for its storage and its vault. Service Bus has none: Dataverse posts to it from outside.

param location string
param tags object
param networkId string
param subnetId string
param storageId string
param vaultId string

var doors = [
  { part: 'blob', target: storageId, zone: 'privatelink.blob.${environment().suffixes.storage}' }
  { part: 'queue', target: storageId, zone: 'privatelink.queue.${environment().suffixes.storage}' }
  { part: 'table', target: storageId, zone: 'privatelink.table.${environment().suffixes.storage}' }
  { part: 'vault', target: vaultId, zone: 'privatelink.vaultcore.azure.net' }
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for door in doors: {
    name: door.zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (door, index) in doors: {
    parent: zones[index]
    name: 'app'
    location: 'global'
    properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for door in doors: {
    name: 'pe-${door.part}-${uniqueString(door.target)}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        { name: door.part, properties: { privateLinkServiceId: door.target, groupIds: [door.part] } }
      ]
    }
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (door, index) in doors: {
    parent: endpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: door.part, properties: { privateDnsZoneId: zones[index].id } }]
    }
  }
]
