// Two OpenID Connect providers for tests, on one free loopback port. Usage: node provider.mjs DIR,
// where fetch.sh has installed DIR/node_modules. Prints "listening on http://127.0.0.1:PORT".
//
// At the root stands a real one, oidc-provider. Whoever `login_hint` names is logged in without a
// page, and has consented; "nobody" is refused. Its clients are in `clients` below.
//
// Under /forged/PLAN stands one that does what a certified provider never does: what the test asks
// for. PLAN and the code of a token request are JSON in base64url:
//   PLAN  {"metadata": members that replace those of the discovery document (null: left out),
//          "documents": {"discovery" | "jwks" | "userinfo": the text to send in place of it, or a
//          number: an HTTP status to answer with, or from 1000 on so many bytes},
//          "userinfo": claims}
//   code  {"key": a key below or the name of a rotated one, "header": members that replace those of
//          the token's header (null: left out), "claims", "sign": false for no signature,
//          "token": the ID token itself, "answer": members that replace those of the answer,
//          "text": the whole answer, or how many bytes it has, "status": of the answer}
// POST /rotate/NAME makes a new key NAME, which all key sets have from then on; GET /count/PATH
// tells how often PATH was asked for.
import { constants, createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const folder = process.argv[2];
const load = (path) => import(pathToFileURL(join(folder, 'node_modules', path)).href);
const { default: Provider } = await load('oidc-provider/lib/index.js');

const newKey = (kid, alg) => {
  const pair = alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: alg === 'short' ? 1024 : 2048 });
  return { kid, alg: alg === 'short' ? 'RS256' : alg, privateKey: pair.privateKey,
    publicKey: pair.publicKey };
};
const privateJwk = (key) => ({ ...key.privateKey.export({ format: 'jwk' }), kid: key.kid,
  alg: key.alg, use: 'sig' });
const publicJwk = (key) => ({ ...key.publicKey.export({ format: 'jwk' }), kid: key.kid,
  use: 'sig' });

const read = async (request) => {
  let body = '';
  for await (const piece of request) body += piece;
  return body;
};
const send = (response, status, body, type = 'application/json') => {
  response.writeHead(status, { 'content-type': type });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};
const counts = new Map();

const server = createServer();
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const base = `http://127.0.0.1:${server.address().port}`;

// The real one.

const algorithms = ['RS256', 'PS256', 'ES256'];
const client = (id, more) => ({
  client_id: id,
  redirect_uris: ['http://127.0.0.1/callback', 'http://127.0.0.1/v1/sign-in/callback'],
  post_logout_redirect_uris: ['http://127.0.0.1/bye'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  ...more,
});
const clients = [
  ...algorithms.map((alg) => client(alg.toLowerCase(), {
    client_secret: 'a:b+c%/d e', id_token_signed_response_alg: alg,
  })),
  client('public', { token_endpoint_auth_method: 'none' }),
];
const provider = new Provider(base, {
  clients,
  jwks: { keys: algorithms.map((alg) => privateJwk(newKey(`real-${alg}`, alg))) },
  claims: {
    openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'],
  },
  cookies: { keys: ['of a test'] },
  enabledJWA: { idTokenSigningAlgValues: algorithms },
  features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
  findAccount: (context, sub) => ({
    accountId: sub,
    claims: () => ({
      sub, email: `${sub}@firm.example`, email_verified: true, name: `${sub} of the firm`,
      groups: ['managers', 'sales'],
    }),
  }),
  interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: () => true,
  loadExistingGrant: async (context) => {
    const grant = new context.oidc.provider.Grant({
      clientId: context.oidc.client.clientId, accountId: context.oidc.session.accountId,
    });
    grant.addOIDCScope('openid email profile groups');
    await grant.save();
    return grant;
  },
  rotateRefreshToken: true,
  pkce: { methods: ['S256'], required: () => true },
});
const real = provider.callback();
const logIn = async (request, response) => {
  const { params } = await provider.interactionDetails(request, response);
  await provider.interactionFinished(request, response, params.login_hint === 'nobody'
    ? { error: 'access_denied', error_description: 'nobody may not use this' }
    : { login: { accountId: params.login_hint } });
};

// The forged one.

const keys = new Map([['rsa', newKey('rsa', 'RS256')], ['ec', newKey('ec', 'ES256')],
  ['short', newKey('short', 'short')]]);
// A key that no key set has, under the name of one that they have.
const foreign = newKey('rsa', 'RS256');
const decode = (text) => JSON.parse(Buffer.from(text, 'base64url').toString());
const encode = (value) => Buffer.from(
  typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const without = (members) => Object.fromEntries(
  Object.entries(members).filter(([, value]) => value !== null));

const sign = (alg, key, input) => {
  if (alg.startsWith('HS')) {  // with what everybody knows as the secret
    const pem = key.publicKey.export({ type: 'spki', format: 'pem' });
    return createHmac(`sha${alg.slice(2)}`, pem).update(input).digest('base64url');
  }
  const signer = createSign('sha256').update(input);
  if (alg.startsWith('ES')) {
    return signer.sign({ key: key.privateKey, dsaEncoding: 'ieee-p1363' }, 'base64url');
  }
  return signer.sign(alg.startsWith('PS')
    ? { key: key.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
    : key.privateKey, 'base64url');
};
const idToken = (recipe) => {
  if (recipe.token !== undefined) return recipe.token;
  const key = recipe.key === 'foreign' ? foreign : keys.get(recipe.key ?? 'rsa');
  const header = without({ alg: key.alg, kid: key.kid, ...recipe.header });
  const input = `${encode(header)}.${encode(recipe.claims)}`;
  return `${input}.${recipe.sign === false ? '' : sign(String(header.alg), key, input)}`;
};
const tokenAnswer = (recipe, response) => {
  if (recipe.text !== undefined) {
    const text = recipe.text >= 1000 ? ' '.repeat(recipe.text) : recipe.text;
    return send(response, recipe.status ?? 200, text);
  }
  return send(response, recipe.status ?? 200, without({
    access_token: 'access', token_type: 'Bearer', expires_in: 60,
    ...(recipe.claims || recipe.token !== undefined ? { id_token: idToken(recipe) } : {}),
    ...recipe.answer,
  }));
};
const forged = async (request, response) => {
  const [, , planText, ...rest] = new URL(request.url, base).pathname.split('/');
  const plan = decode(planText);
  const issuer = `${base}/forged/${planText}`;
  const canned = (name, body) => {
    const text = plan.documents?.[name];
    if (text >= 1000) return send(response, 200, ' '.repeat(text));
    if (typeof text === 'number') return send(response, text, { error: 'as asked for' });
    return send(response, 200, text ?? body);
  };
  switch (rest.join('/')) {
    case '.well-known/openid-configuration':
      return canned('discovery', without({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        userinfo_endpoint: `${issuer}/userinfo`,
        response_types_supported: ['code'],
        id_token_signing_alg_values_supported: algorithms,
        ...plan.metadata,
      }));
    case 'jwks':
      return canned('jwks', { keys: [...keys.values()].map(publicJwk) });
    case 'userinfo':
      return canned('userinfo', plan.userinfo ?? {});
    case 'token': {
      const form = new URLSearchParams(await read(request));
      const recipe = decode(form.get('code') ?? form.get('refresh_token'));
      // Tells the test how the client proved itself, in a claim.
      if (recipe.claims?.name === 'how') {
        recipe.claims.name = `${request.headers.authorization ?? ''}|${form}`;
      }
      return tokenAnswer(recipe, response);
    }
    default:
      return send(response, 404, { error: 'not here' });
  }
};

server.on('request', async (request, response) => {
  const { pathname } = new URL(request.url, base);
  counts.set(pathname, (counts.get(pathname) ?? 0) + 1);
  try {
    if (pathname.startsWith('/forged/')) return await forged(request, response);
    if (pathname.startsWith('/interaction/')) return await logIn(request, response);
    if (pathname.startsWith('/rotate/')) {
      const name = pathname.slice('/rotate/'.length);
      keys.set(name, newKey(name, 'RS256'));
      return send(response, 200, {});
    }
    if (pathname.startsWith('/count/')) {
      return send(response, 200, String(counts.get(pathname.slice('/count'.length)) ?? 0));
    }
    return real(request, response);
  } catch (error) {
    return send(response, 500, { error: String(error.stack) });
  }
});
console.log(`listening on ${base}`);
