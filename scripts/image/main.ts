// `node dist/scripts/image/main.js control|proxy FOLDER`: what the image of that process holds, in FOLDER. The last step
// of the build stage of Dockerfile.control and Dockerfile.proxy.
import { assemble, imageNames } from './assemble.js'

const [wanted, target] = process.argv.slice(2)
const name = imageNames.find(name => name === wanted)
if (name === undefined || target === undefined) {
  console.error(`Usage: main.js ${imageNames.join('|')} FOLDER`)
  process.exitCode = 64
} else {
  assemble(process.cwd(), name, target)
}
