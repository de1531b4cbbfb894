import type { Field } from './act';

/** One field of what an operator fills in. */
export function FieldOf(field: Field) {
  const { name, label, isOptional, hint } = field;
  const id = `field-${name}`;
  return (
    <div class="field">
      <label for={id}>
        {label}
        {isOptional && <span class="dim"> (optional)</span>}
      </label>
      <Control id={id} {...field} />
      {hint && <span class="dim">{hint}</span>}
    </div>
  );
}

function Control({ id, name, value = '', of, type, most, isOptional }: Field & { id: string }) {
  if (of)
    return (
      <select id={id} name={name}>
        {of.map((one) => (
          <option key={one} value={one}>
            {one === '' ? 'no one' : one}
          </option>
        ))}
      </select>
    );
  const all = { id, name, autocomplete: 'off', defaultValue: value, required: !isOptional };
  if (type === 'number') return <input {...all} type="number" min={1} max={most} />;
  return <input {...all} type="text" maxLength={most} />;
}

/** What a form was filled in with. */
export const givenIn = (form: HTMLFormElement): Record<string, string> =>
  Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
