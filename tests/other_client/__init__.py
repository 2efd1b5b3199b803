"""People at a client of another family than the bot's: matrix-js-sdk with Rust cryptography, run by Node."""

from tests.other_client.node import NoNode as NoNode
from tests.other_client.people import Clients as Clients
from tests.other_client.people import Device as Device
from tests.other_client.people import SecretHuman as SecretHuman
