// The value of a durableClient binding: where the app's client finds the hub, and the URLs that it hands to others.

export interface Place {
  readonly hubName: string
  /** Of the app's HTTP endpoints, for example `http://localhost:7071`. */
  readonly origin: string
  /** Goes into the URLs that are handed out; on the platform the key to the whole task hub. */
  readonly key: string
}

export interface BindingOptions extends Place {
  /** Where the app's own client talks to; ends with a slash. */
  readonly rpcBaseUrl: string
}

const managementPath = '/runtime/webhooks/durabletask'

export function clientBindingOf({ rpcBaseUrl, ...place }: BindingOptions): string {
  const base = `${place.origin}${managementPath}`
  const query = queryOf(place)
  return JSON.stringify({
    taskHubName: place.hubName,
    creationUrls: {
      createNewInstancePostUri: `${base}/orchestrators/{functionName}[/{instanceId}]?${query}`,
      createAndWaitOnNewInstancePostUri: `${base}/orchestrators/{functionName}[/{instanceId}]?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&${query}`,
    },
    managementUrls: managementUrlsOf('INSTANCEID', place),
    baseUrl: base,
    requiredQueryStringParameters: query,
    rpcBaseUrl,
  })
}

/** The URLs under which one instance is managed. */
export function managementUrlsOf(id: string, place: Place) {
  const all = `taskHub=${encodeURIComponent(place.hubName)}&connection=Storage&${queryOf(place)}`
  const instance = `${place.origin}${managementPath}/instances/${encodeURIComponent(id)}`
  return {
    id,
    statusQueryGetUri: `${instance}?${all}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${all}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${all}`,
    rewindPostUri: `${instance}/rewind?reason={text}&${all}`,
    purgeHistoryDeleteUri: `${instance}?${all}`,
    restartPostUri: `${instance}/restart?${all}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${all}`,
    resumePostUri: `${instance}/resume?reason={text}&${all}`,
  }
}

const queryOf = ({ key }: Place) => `code=${encodeURIComponent(key)}`
