export * from './people.js';
export * from './processes.js';
export * from './site.js';
