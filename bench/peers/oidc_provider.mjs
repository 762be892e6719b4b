// npm oidc-provider as a registration server: its own memory adapter, plain RFC 7591 bodies.
// Usage: node oidc_provider.mjs PORT; the initial access token comes in TOKEN.
import { Provider } from 'oidc-provider';

const port = Number(process.argv[2]);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true, initialAccessToken: process.env.TOKEN },
  },
});
provider.listen(port, '127.0.0.1', () => console.log('ready'));
