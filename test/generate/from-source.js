// Lets Node run the project's TypeScript as it stands, without a build:
//   node --conditions=source --import ./test/generate/from-source.js <file.ts>
import { register } from 'node:module';

register('./source-hooks.js', import.meta.url);
