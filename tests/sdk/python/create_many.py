"""The official Python client creates more users than the limit allows at once, and prints how many it got."""

import os

from azure.communication.identity import CommunicationIdentityClient

client = CommunicationIdentityClient.from_connection_string(os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"])
print(len([client.create_user() for _ in range(int(os.environ["COUNT"]))]))
