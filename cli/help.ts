// What `npx saga help` says.

export const help = `
  npx saga COMMAND [options]

  Look
    list                       sagas, newest first: --phase held,waiting|open  --saga  --partner  --table  --row
                               --text  --since  --until  --limit
    show ID                    one saga, step by step; --calls lists every call
    watch ID                   tells each change until the saga is over
    dead-letters               messages that could not be taken, and why

  Act, with --reason WHY and --actor WHO (your user name if absent)
    retry ID [STEP]            asks again now
    skip ID STEP               goes on without the step
    undo ID                    undoes everything, in reverse
                               --preview shows what would happen, and does nothing
    dead-letters resubmit NO   sends it again, byte for byte; --queue
    dead-letters discard NO    removes it; --queue

  Develop
    replay ID|FILE|FOLDER ...  runs recorded histories on the sagas of this code; fetching one needs the role Admin, and is logged
    openapi                    the description of the HTTP API
    help                       this

  ID is the id of a saga, or of a row: then its latest saga is meant.
  --json prints what the API answers. --url or SAGA_URL says where the app is: http://127.0.0.1:7071 if absent.
  FUNCTIONS_KEY holds a function key, SAGA_TOKEN a bearer token where the app signs in with Entra ID.

  Ends with
    0  done; for watch: completed; for replay: all are as recorded
    1  no: refused, not found, ended otherwise, or replayed differently
    2  the command is not understood
    3  the app can not be reached, or has failed
    4  not allowed
`
