// The value of a durableClient binding: where the app's client finds the hub, and the URLs that it hands to others.

export interface BindingOptions {
  readonly hubName: string
  /** Of the app's HTTP endpoints, for example `http://localhost:7071`. */
  readonly origin: string
  /** Where the app's own client talks to; ends with a slash. */
  readonly rpcBaseUrl: string
}

/** On the platform a key to the whole task hub; here everything listens on this machine and no key is asked for. */
const query = 'code=local'

const managementPath = '/runtime/webhooks/durabletask'

export function clientBindingOf({ hubName, origin, rpcBaseUrl }: BindingOptions): string {
  const base = `${origin}${managementPath}`
  return JSON.stringify({
    taskHubName: hubName,
    creationUrls: {
      createNewInstancePostUri: `${base}/orchestrators/{functionName}[/{instanceId}]?${query}`,
      createAndWaitOnNewInstancePostUri: `${base}/orchestrators/{functionName}[/{instanceId}]?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&${query}`,
    },
    managementUrls: managementUrlsOf('INSTANCEID', hubName, origin),
    baseUrl: base,
    requiredQueryStringParameters: query,
    rpcBaseUrl,
  })
}

/** The URLs under which one instance is managed. */
export function managementUrlsOf(id: string, hubName: string, origin: string) {
  const all = `taskHub=${encodeURIComponent(hubName)}&connection=Storage&${query}`
  const instance = `${origin}${managementPath}/instances/${encodeURIComponent(id)}`
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
