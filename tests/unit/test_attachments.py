"""An encrypted file is read as another library reads it."""

import pytest
from nio.crypto.attachments import decrypt_attachment
from nio.exceptions import EncryptionError

from bot.matrix.encryption.attachments import sealed


@pytest.mark.parametrize("size", [0, 1, 16, 100_001])
def test_what_is_sealed_is_read_with_its_key_and_tells_nothing_without(size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    hidden, how = sealed(data)
    key, iv, digest = how["key"]["k"], how["iv"], how["hashes"]["sha256"]
    assert decrypt_attachment(hidden, key, digest, iv) == data
    assert len(hidden) == size
    assert "=" not in key + iv + digest
    if size > 1:
        assert hidden != data
        assert sealed(data)[0] != hidden
        with pytest.raises(EncryptionError):
            decrypt_attachment(hidden[:-1] + bytes([hidden[-1] ^ 1]), key, digest, iv)
