"""The load generator: it sends prepared requests to running servers and records every answer.

Start at `drive.drive`: it starts Locust in a process of its own (`locust_process`) and hands it an `Assignment`
(`protocol`). In there a `LoadGenerator` (`generator`) goes through the slices of the round; each is a closed or open
loop (`loops`) that the users of a pool (`user_pool`) drive over their connections (`server_connections`, `connection`,
`websocket`). `requests` prepares what is sent, `recording` and `slice_facts` make the frames that are stored.
"""
