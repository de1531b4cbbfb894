/** One fault as Ajv reports it. */
export interface ValidationFault {
  keyword: string;
  instancePath: string;
  params: Record<string, unknown>;
  message?: string;
  parentSchema?: { description?: string };
}

/** What is wrong with a request, in a sentence that names the place. */
export function explainValidation(fault: ValidationFault, context = 'request'): string {
  const { keyword, instancePath, params, message, parentSchema } = fault;
  const part = context === 'querystring' ? 'query' : context;
  const place = [part, ...instancePath.split('/').slice(1)].join('.');
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
      return `${place} has to be of type ${params.type}`;
    default: {
      const rule = parentSchema?.description;
      return `${place} ${message ?? 'is not valid'}${rule && keyword !== 'maximum' ? `; it is: ${rule}` : ''}`;
    }
  }
}
