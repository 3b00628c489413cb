// Bearer tokens of the identity that the process runs as: that of the machine on Azure, that of who is signed in elsewhere.

/** @param resource such as `https://management.azure.com` @throws what @azure/identity says when there is none */
export async function identityToken(resource: string): Promise<string> {
  const { DefaultAzureCredential } = await import('@azure/identity')
  const scope = resource.endsWith('/.default') ? resource : `${resource.replace(/\/$/, '')}/.default`
  return (await new DefaultAzureCredential().getToken(scope)).token
}
