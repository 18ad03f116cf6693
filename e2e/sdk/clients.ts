// Programs on top of what each generator makes: they ask for the target `echo` at the URL of their first argument, with
// fields that are not used left to the generator, and print the token and the port.

export const typescriptClients = {
  'hey-api': `
import { query } from './hey-public/sdk.gen.js'
const { data, error } = await query({ baseUrl: process.argv[2], body: { resourceType: 'gameserver', namespace: 'games', labelSelector: { name: 'echo' } } })
if (data === undefined) throw new Error(JSON.stringify(error))
console.log(data.token, data.dataPorts[0]!.port)
`,
  'openapi-typescript': `
import createClient from 'openapi-fetch'
import type { paths } from './types-public.js'
const { data, error } = await createClient<paths>({ baseUrl: process.argv[2] }).POST('/query', { body: { resourceType: 'gameserver', namespace: 'games', labelSelector: { name: 'echo' } } })
if (data === undefined) throw new Error(JSON.stringify(error))
console.log(data.token, data.dataPorts[0]!.port)
`
} as const

export const pythonClient = `
import sys
from director_public import Client
from director_public.api.public import query
from director_public.models import IssuedToken, QueryRequest, QueryRequestLabelSelector
body = QueryRequest(resource_type='gameserver', namespace='games', label_selector=QueryRequestLabelSelector.from_dict({'name': 'echo'}))
issued = query.sync(client=Client(base_url=sys.argv[1]), body=body)
assert isinstance(issued, IssuedToken), issued
print(issued.token, issued.data_ports[0].port)
`

export const goClients = {
  'oapi-codegen': `package main

import (
  "context"
  "fmt"
  "os"

  _ "sdk/oapiadmin"
  api "sdk/oapipublic"
)

func main() {
  client, err := api.NewClientWithResponses(os.Args[1])
  if err != nil {
    panic(err)
  }
  answer, err := client.QueryWithResponse(context.Background(), api.QueryRequest{
    ResourceType: "gameserver", Namespace: "games", LabelSelector: &map[string]string{"name": "echo"},
  })
  if err != nil || answer.JSON200 == nil {
    panic(fmt.Sprint(err, answer))
  }
  fmt.Println(answer.JSON200.Token, answer.JSON200.DataPorts[0].Port)
}
`,
  ogen: `package main

import (
  "context"
  "fmt"
  "os"

  "github.com/ogen-go/ogen/ogenerrors"
  _ "sdk/ogenadmin"
  api "sdk/ogenpublic"
)

type keyless struct{}

func (keyless) Bearer(context.Context, api.OperationName) (api.Bearer, error) {
  return api.Bearer{}, ogenerrors.ErrSkipClientSecurity
}

func main() {
  client, err := api.NewClient(os.Args[1], keyless{})
  if err != nil {
    panic(err)
  }
  answer, err := client.Query(context.Background(), &api.QueryRequest{
    ResourceType: "gameserver", Namespace: "games",
    LabelSelector: api.NewOptQueryRequestLabelSelector(api.QueryRequestLabelSelector{"name": "echo"}),
  })
  issued, ok := answer.(*api.IssuedToken)
  if err != nil || !ok {
    panic(fmt.Sprint(err, answer))
  }
  fmt.Println(issued.Token, issued.DataPorts[0].Port)
}
`
} as const
