"""Old dials, read by a camera: from a picture to a reading that can be true."""
