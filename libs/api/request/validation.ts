/** One fault as Ajv reports it. */
export interface ValidationFault {
  keyword: string;
  instancePath: string;
  params: Record<string, unknown>;
  parentSchema?: { description?: string };
}

/** What is wrong with a request, in a sentence that names the place. */
export function explainValidation(fault: ValidationFault, context = 'request'): string {
  const { keyword, instancePath, params, parentSchema } = fault;
  const part = context === 'querystring' ? 'query' : context;
  const place = [part, ...instancePath.split('/').slice(1)].join('.');
  const rule = parentSchema?.description ? ` (${parentSchema.description})` : '';
  switch (keyword) {
    case 'required':
      return `${place}.${params.missingProperty} is missing`;
    case 'additionalProperties':
      return `${place}.${String(params.additionalProperty).slice(0, 64)} is not known here`;
    case 'enum':
      return `${place} has to be one of: ${(params.allowedValues as string[]).join(', ')}`;
    case 'pattern':
      return `${place} has to be: ${parentSchema?.description ?? params.pattern}`;
    case 'type':
      return `${place} has to be of type ${[params.type].flat().join(' or ')}`;
    case 'minimum':
      return `${place} has to be at least ${params.limit}${rule}`;
    case 'maximum':
      return `${place} has to be at most ${params.limit}${rule}`;
    case 'minLength':
      return `${place} has to have at least ${counted(params.limit, 'character')}${rule}`;
    case 'maxLength':
      return `${place} has to have at most ${counted(params.limit, 'character')}${rule}`;
    case 'minItems':
      return `${place} has to have at least ${counted(params.limit, 'item')}${rule}`;
    case 'maxItems':
      return `${place} has to have at most ${counted(params.limit, 'item')}${rule}`;
    default:
      return `${place} is not valid${rule}`;
  }
}

function counted(limit: unknown, what: string): string {
  return `${limit} ${what}${limit === 1 ? '' : 's'}`;
}
