/** The version, put in by the bundler; from source it is unknown. */
declare const __VERSION__: string | undefined;

export const version: string = typeof __VERSION__ === 'string' ? __VERSION__ : 'source';
