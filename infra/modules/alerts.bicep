// Who is told, and of what. docs/runbook.md has a chapter for each, under the alert's name.

param location string
param tags object
param email string
param insightsId string
param serviceBusId string

var runbook = 'What to do: docs/runbook.md, chapter'

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'saga-operators'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'saga'
    emailReceivers: empty(email) ? [] : [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

// What Service Bus itself tells, so that it is heard when the app is silent.
var onServiceBus = [
  { name: 'dead-letters', severity: 2, metric: 'DeadletteredMessages', aggregation: 'Average', above: 0, window: 'PT5M' }
  { name: 'backlog', severity: 2, metric: 'ActiveMessages', aggregation: 'Minimum', above: 1000, window: 'PT15M' }
  { name: 'throttled', severity: 3, metric: 'ThrottledRequests', aggregation: 'Total', above: 0, window: 'PT15M' }
]

resource serviceBusAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for alert in onServiceBus: {
    name: alert.name
    location: 'global'
    tags: tags
    properties: {
      description: '${runbook} ${alert.name}'
      severity: alert.severity
      enabled: true
      scopes: [serviceBusId]
      evaluationFrequency: 'PT5M'
      windowSize: alert.window
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: alert.name
            metricNamespace: 'Microsoft.ServiceBus/namespaces'
            metricName: alert.metric
            timeAggregation: alert.aggregation
            operator: 'GreaterThan'
            threshold: alert.above
            dimensions: [{ name: 'EntityName', operator: 'Include', values: ['*'] }]
          }
        ]
      }
      autoMitigate: true
      actions: [{ actionGroupId: people.id }]
    }
  }
]

// What the app tells, in the metrics of src/telemetry. Each query gives rows when there is something to tell.
var onTheApp = [
  {
    name: 'queue-age'
    severity: 2
    window: 'PT15M'
    // Milliseconds from the message's arrival to its function.
    query: 'customMetrics | where name == "queue.lag" | summarize oldest = max(valueMax) | where oldest > 300000'
  }
  {
    name: 'held-sagas'
    severity: 2
    window: 'PT15M'
    query: 'customMetrics | where name == "saga.held" | summarize held = sum(valueSum) | where held > 0'
  }
  {
    name: 'indebted-sagas'
    severity: 1
    window: 'PT15M'
    query: 'customMetrics | where name == "saga.debts" | summarize debts = sum(valueSum) | where debts > 0'
  }
  {
    name: 'failure-rate'
    severity: 2
    window: 'PT1H'
    query: 'customMetrics | where name == "saga.outcomes" | summarize ended = sum(valueSum), undone = sumif(valueSum, tostring(customDimensions["outcome"]) !in ("completed", "merged")) | where ended >= 20 and undone > ended * 0.1'
  }
  {
    name: 'breaker-open'
    severity: 2
    window: 'PT15M'
    query: 'customMetrics | where name == "partner.breaker" | summarize open = max(valueMax) by partner = tostring(customDimensions["partner"]) | where open > 0'
  }
  {
    name: 'outbox-depth'
    severity: 2
    window: 'PT15M'
    // A burst is gone with the next run; this stays.
    query: 'customMetrics | where name == "outbox.pending" | summarize most = max(valueMax) by bin(timestamp, 5m) | summarize pending = min(most) | where pending > 1000'
  }
  {
    name: 'stuck-sagas'
    severity: 3
    window: 'PT15M'
    // A line of the watchdog.
    query: 'traces | where message has "should have moved at" | summarize found = count() | where found > 0'
  }
  {
    name: 'app-failing'
    severity: 1
    window: 'PT15M'
    query: 'requests | where success == false | summarize failed = count() | where failed > 20'
  }
]

resource appAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in onTheApp: {
    name: alert.name
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: alert.name
      description: '${runbook} ${alert.name}'
      severity: alert.severity
      enabled: true
      scopes: [insightsId]
      evaluationFrequency: 'PT5M'
      windowSize: alert.window
      criteria: {
        allOf: [{ query: alert.query, timeAggregation: 'Count', operator: 'GreaterThan', threshold: 0 }]
      }
      autoMitigate: true
      actions: { actionGroups: [people.id] }
    }
  }
]
