export * from './people.js';
export * from './processes.js';
