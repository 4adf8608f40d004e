/** Recipe: a script that runs on a machine once it is there. A revision, once used, never changes. */
import { z } from 'zod';
import { conditions } from './condition.ts';
import { count, text } from './fields.ts';
import { AGE, defineResource, type Resource, STATUS_STAYS } from './resource.ts';

export const RecipeSpec = z
  .object({
    title: z.string().min(1).max(100).describe('Name for people.'),
    description: text(4000).optional().describe('What it installs.'),
    revision: count(1_000_000).min(1).describe('Rises with every change of the script.'),
    script: z.string().min(1).max(65_536).describe('Shell script, run as root on the machine.'),
  })
  .meta({
    'x-kubernetes-validations': [
      { rule: 'self.revision >= oldSelf.revision', message: 'the revision only rises' },
      {
        rule: 'self.script == oldSelf.script || self.revision > oldSelf.revision',
        message: 'a revision never changes: raise spec.revision together with spec.script',
      },
    ],
  })
  .describe('What the provider wrote.');

export const RecipeStatus = z
  .object({
    observedGeneration: count().optional().describe('The metadata.generation that this status is about.'),
    conditions: conditions(),
  })
  .describe('What the operator found.');

export type Recipe = Resource<'Recipe', z.infer<typeof RecipeSpec>, z.infer<typeof RecipeStatus>>;

export const recipeDefinition = defineResource({
  kind: 'Recipe',
  plural: 'recipes',
  singular: 'recipe',
  shortNames: ['rcp'],
  scope: 'Namespaced',
  description: 'A post-provision script with revisions.',
  spec: RecipeSpec,
  status: RecipeStatus,
  columns: [
    { name: 'Title', type: 'string', jsonPath: '.spec.title', description: 'Name for people.' },
    { name: 'Revision', type: 'integer', jsonPath: '.spec.revision', description: 'Current revision.' },
    AGE,
  ],
  rules: [STATUS_STAYS],
  selectableFields: [],
});
