.data
.ds.x 1
.ds.p 1
.dc.x 1
