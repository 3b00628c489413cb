// The app settings with which an app sends its telemetry to a sandbox of this machine.

import { join } from 'node:path'

/** With which the app's own SDK sends to the sandbox. All that it still does besides is to ask 169.254.169.254 whether this is a machine of Azure. */
export const telemetryTo = (url: string, data: string) => ({
  APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=00000000-0000-4000-8000-000000000000;IngestionEndpoint=${url}/`,
  // The SDK makes https of every endpoint in a connection string; this it takes as it is.
  APPLICATIONINSIGHTS_CONFIGURATION_CONTENT: JSON.stringify({
    azureMonitorExporterOptions: { host: url, allowInsecureConnection: true },
  }),
  // Its statistics about itself would go to Microsoft.
  APPLICATION_INSIGHTS_NO_STATSBEAT: 'true',
  APPLICATIONINSIGHTS_SDKSTATS_DISABLED: 'true',
  APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED: 'true',
  OTEL_SERVICE_NAME: 'dataverse-saga',
  TRACES_URL: `${url}/traces/{id}`,
  TELEMETRY_DIR: join(data, 'unsent'),
})
