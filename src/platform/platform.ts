/**
 * What the program needs of the runtime and the system under it. Each interface has its file; everybody takes the things
 * themselves from here. Another runtime is another folder beside node/, and these lines.
 */
export { children } from './node/children.ts';
export { clock } from './node/clock.ts';
export { datagrams } from './node/datagrams.ts';
export { files } from './node/files.ts';
export { host } from './node/host.ts';
export { program } from './node/program.ts';
export { sockets } from './node/sockets.ts';
