// A function that CVAT cannot list, or of a kind that it never calls.

import { Kind } from "../kinds.js";

export class Unknown extends Kind {}
