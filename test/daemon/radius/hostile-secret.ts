/** That of the stand-ins which misbehave. */
export const HOSTILE_SECRET = 'Thistle-Lantern';
