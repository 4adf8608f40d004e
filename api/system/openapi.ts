/** OpenAPI 3.1 from the zod schemas that validate: what is described is what is checked. */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { PROBLEMS } from '../../crds/problem.ts';

const DESCRIPTION = `A compute marketplace on Kubernetes. Success is \`{"success": true, "data": …}\`; every refusal is
application/problem+json with a stable \`code\` and, in \`error\`, what to do next. Requests are signed with an Ed25519
key (RFC 9421) whose public half in hex is who you are; bodies may be spelt in camelCase or snake_case.

Codes: ${Object.keys(PROBLEMS).join(', ')}.`;

export async function openApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'dcmarket',
        version: '0.1.0',
        description: DESCRIPTION,
        license: { name: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          signature: {
            type: 'apiKey',
            in: 'header',
            name: 'Signature',
            description:
              'RFC 9421 over "@method" "@authority" "@path" "@query" and, with a body, "content-digest"; ' +
              'parameters created, nonce, keyid (public key in hex), alg="ed25519".',
          },
        },
      },
    },
    transform: (document) => {
      const transformed = jsonSchemaTransform(document);
      const access = document.route.config?.access;
      const isSigned = access !== undefined && access.as !== 'Anyone';
      return isSigned
        ? { ...transformed, schema: { ...transformed.schema, security: [{ signature: [] }] } }
        : transformed;
    },
  });
}
