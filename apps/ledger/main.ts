#!/usr/bin/env -S node --max-semi-space-size=16 --heap-growing-percent=100
import { answerArguments } from './arguments.js';

answerArguments(process.argv.slice(2));

// Node reads all files of a program's imports at once. Where few may be open (`ulimit -n 256`), it would not load: so what
// consists of many files comes first, one after the other.
for (const large of [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/platform-fastify',
  'rxjs',
  'typebox',
  'typebox/value',
  '#session',
  '#api/schemas',
  '#log',
])
  await import(large);
await import('./service.js');
