// <seg-receptive-field>
