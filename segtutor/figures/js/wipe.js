// <seg-wipe>
