// An OpenID provider. It prints its URL, takes the prefix of its keys' ids from each line of its input, prints
// that line when it signs with new keys of those ids, and ends with its input.
//
// POST /token with client_id (any user id) and resource=https://chat.example.org/ALG makes a token.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(`${process.env.TOOLS}/`);
const { Provider } = await import(require.resolve('oidc-provider'));
const { exportJWK, generateKeyPair } = await import(require.resolve('jose'));

const [port, users] = [Number(process.argv[2]), process.argv.slice(3)];
const algorithms = ['RS256', 'ES256', 'EdDSA'];

async function newKey(alg, prefix) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `${prefix}-${alg}` };
}

async function newProvider(issuer, prefix) {
  return new Provider(issuer, {
    jwks: { keys: await Promise.all(algorithms.map((alg) => newKey(alg, prefix))) },
    enabledJWA: { idTokenSigningAlgValues: algorithms, clientAuthSigningAlgValues: algorithms },
    clients: users.map((user) => ({
      client_id: user, client_secret: 'secret', grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'client_secret_post', redirect_uris: [], response_types: [],
    })),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: '', audience: 'chat-api', accessTokenTTL: 3600, accessTokenFormat: 'jwt',
          jwt: { sign: { alg: new URL(resource).pathname.slice(1) } },
        }),
      },
    },
  });
}

let handle;
const server = createServer((request, response) => handle(request, response));
await new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
const issuer = `http://127.0.0.1:${server.address().port}`;
console.log(issuer);
for await (const prefix of createInterface(process.stdin)) {
  handle = (await newProvider(issuer, prefix)).callback();
  console.log(prefix);
}
process.exit();
