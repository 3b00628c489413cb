// One page for operators: what sagas do, how long they take, what partners answer.

param location string
param tags object
param insightsId string

resource workbook 'Microsoft.Insights/workbooks@2022-04-01' = {
  name: guid(insightsId, 'sagas')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Sagas'
    category: 'workbook'
    sourceId: insightsId
    serializedData: loadTextContent('../workbook.json')
  }
}
