"""What a caller meets before an agent: dialogues with the dialplan over FastAGI."""
